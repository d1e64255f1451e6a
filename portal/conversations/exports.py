"""What people take away of a conversation: as a document, as text, as subtitles, as data."""

from __future__ import annotations

from collections.abc import Callable

from django.db import models
from django.db.models.fields.files import FieldFile
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.conversations import document, playback, queries
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Gap, Recording, Transcript
from portal.conversations.templatetags import conversations as saying
from portal.conversations.words import as_spoken
from portal.speech import formats
from portal.speech.captions import captions
from portal.speech.engines import base as speech


class Format(models.TextChoices):
    """The value is the ending of the file; a recording keeps the one that it has."""

    DOCX = "docx", gettext_lazy("Documento de Word")
    TXT = "txt", gettext_lazy("Texto")
    VTT = "vtt", gettext_lazy("Subtítulos WebVTT")
    SRT = "srt", gettext_lazy("Subtítulos SRT")
    JSON = "json", gettext_lazy("Datos (JSON)")
    AUDIO = "audio", gettext_lazy("Audio")


CONTENT_TYPES = {
    Format.DOCX: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    Format.TXT: "text/plain; charset=utf-8",
    Format.VTT: "text/vtt; charset=utf-8",
    Format.SRT: "application/x-subrip; charset=utf-8",
    Format.JSON: "application/json",
}
"""Of what is written from a transcript."""


def check_consent(conversation: Conversation) -> None:
    """Raises Refused."""
    if conversation.consent.withdrawn_at is not None:
        raise withdrawn()


def withdrawn() -> Refused:
    return Refused(
        "consent_withdrawn",
        _(
            "La persona ha retirado su consentimiento: lo que se grabó con él ya no se puede "
            "descargar."
        ),
        status=409,
    )


def sound(conversation: Conversation) -> FieldFile:
    """What is played of it. Raises Refused when there is none."""
    try:
        return playback.played(conversation)[0]
    except Recording.DoesNotExist:
        raise no_audio() from None


def no_audio() -> Refused:
    return Refused(
        "no_audio",
        _(
            "No se encuentra el audio de esta conversación en el almacén. Avise a quien "
            "administra el portal."
        ),
        status=409,
    )


def written(conversation: Conversation, chosen: Format) -> bytes:
    """The transcript as ``chosen``, which is not AUDIO. Raises Refused when there is none."""
    transcript = Transcript.objects.filter(conversation=conversation).first()
    if transcript is None:
        raise Refused(
            "no_transcript",
            _(
                "Esta conversación todavía no tiene transcripción, así que no hay texto que "
                "descargar. El audio está guardado."
            ),
            status=409,
        )
    transcript.conversation = conversation
    return WRITERS[chosen](transcript)


def spoken(transcript: Transcript) -> speech.Transcript:
    """As an engine gives one: turns by labels of their speakers, with words and their times."""
    return speech.Transcript(
        turns=tuple(map(as_spoken, transcript.turns.select_related("speaker"))),
        language=transcript.language,
        duration=transcript.duration,
        engine=transcript.engine,
        model=transcript.model,
    )


def notice() -> str:
    """What is said along with everything that leaves."""
    return _(
        "Son datos personales: guárdelos donde solo los vea quien deba verlos, y bórrelos "
        "cuando ya no hagan falta."
    )


def facts(conversation: Conversation) -> list[tuple[str, str]]:
    """(what, its value) of what stands at the head of a document."""
    when = date_format(timezone.localtime(conversation.created_at), r"j \d\e F \d\e Y, H:i")
    found = [
        (_("Persona usuaria"), conversation.participant.name),
        (_("Empleado/a"), conversation.created_by.name),
        (_("Fecha"), when),
        (_("Duración"), saying.length_words(conversation.duration)),
        (_("Idioma"), saying.spoken_language(conversation.transcript.language)),
    ]
    return [(label, value) for label, value in found if value]


def unrecorded(gap: Gap) -> str:
    """What is said of a stretch that is not in the recording."""
    return _("%(kind)s · %(length)s: no se grabó nada") % {
        "kind": gap.get_kind_display(),
        "length": saying.exact_length(gap.seconds),
    }


def _names(transcript: Transcript) -> dict[str, str]:
    """Label of a speaker -> what the page calls them."""
    conversation = transcript.conversation
    return {
        speaker.label: saying.speaker_name(speaker, conversation)
        for speaker in transcript.speakers.all()
    }


def _docx(transcript: Transcript) -> bytes:
    conversation = transcript.conversation
    names = {
        speaker.pk: (saying.speaker_name(speaker, conversation), speaker.get_role_display())
        for speaker in transcript.speakers.order_by("label")
    }
    lines: list[document.Line] = []
    for entry in queries.said(transcript):
        lines += [document.Unrecorded(unrecorded(gap)) for gap in entry.gaps]
        if entry.turn is not None:
            turn = entry.turn
            name, _role = names[turn.speaker_id]
            lines.append(document.Said(saying.clock(turn.start), name, turn.text))
    return document.docx(
        title=saying.shown_title(conversation),
        summary=conversation.description,
        facts=facts(conversation),
        people=list(names.values()),
        lines=lines,
        language=transcript.language,
    )


def _txt(transcript: Transcript) -> bytes:
    conversation = transcript.conversation
    head = [saying.shown_title(conversation), ""]
    if conversation.description:
        head += [conversation.description, ""]
    head += [f"{label}: {value}" for label, value in facts(conversation)]
    body = []
    for entry in queries.said(transcript):
        body += [f"({unrecorded(gap)})" for gap in entry.gaps]
        if entry.turn is not None:
            turn = entry.turn
            name = saying.speaker_name(turn.speaker, conversation)
            body.append(f"[{saying.clock(turn.start)}] {name}: {turn.text}")
    return "".join(f"{formats.one_line(line)}\n" for line in [*head, "", *body]).encode()


def _vtt(transcript: Transcript) -> bytes:
    return formats.to_vtt(captions(spoken(transcript)), _names(transcript)).encode()


def _srt(transcript: Transcript) -> bytes:
    return formats.to_srt(captions(spoken(transcript)), _names(transcript)).encode()


def _json(transcript: Transcript) -> bytes:
    roles = dict(transcript.speakers.values_list("label", "role"))
    return formats.to_json(spoken(transcript), roles).encode()


WRITERS: dict[Format, Callable[[Transcript], bytes]] = {
    Format.DOCX: _docx,
    Format.TXT: _txt,
    Format.VTT: _vtt,
    Format.SRT: _srt,
    Format.JSON: _json,
}
