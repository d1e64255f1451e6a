"""Every format read back by a program that is not ours, or by the one it is made for."""

from __future__ import annotations

import logging
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import docx
import pytest
import webvtt
from django.core.files.base import ContentFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from docx.oxml.ns import qn

from conftest import Cast
from portal.conversations.exports import Format
from portal.conversations.models import Conversation, Gap, Playback, Turn
from portal.conversations.tests import told
from portal.conversations.tests.test_audio import body_of
from portal.participants.models import Consent, Participant
from portal.speech import formats

SPOKEN = told.LINES[1][2]


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


@pytest.fixture
def talk(cast: Cast, consent: Consent, tmp_path: Path, settings: Any) -> Conversation:
    settings.MEDIA_ROOT = str(tmp_path)
    conversation = told.conversation(consent, cast, description="Vive con su prima.")
    told.transcribed(conversation)
    Gap.objects.create(conversation=conversation, kind="private", at=4.5, seconds=130.2)
    return conversation


def address(conversation: Conversation, chosen: str) -> str:
    return reverse("conversations:export", args=[conversation.pk, chosen])


def export(client: Client, conversation: Conversation, chosen: str) -> str:
    response = client.get(address(conversation, chosen))
    assert response.status_code == 200
    return response.content.decode()


def test_a_document_has_headings_languages_and_all_that_was_said(
    client: Client, talk: Conversation
) -> None:
    response = client.get(address(talk, "docx"))
    document = docx.Document(BytesIO(response.content))
    headings = [
        (p.style.name, p.text) for p in document.paragraphs if p.style.name.startswith("Heading")
    ]
    assert headings == [
        ("Heading 1", "Padrón y salud"),
        ("Heading 2", "Quién es quién"),
        ("Heading 2", "Transcripción"),
    ]
    text = [p.text for p in document.paragraphs]
    assert "Persona usuaria: Fátima Belkacem" in text
    assert "Ana Robles (Empleado/a)" in text
    assert "Voz 3 (Otra persona)" in text
    assert f"Fátima Belkacem  0:05\n{SPOKEN}" in text
    assert text.index("[Pausa privada · 2 min 10 s: no se grabó nada]") < text.index(
        f"Fátima Belkacem  0:05\n{SPOKEN}"
    )
    # What XML cannot hold is left out, and nothing that looks like a formula becomes one.
    assert "Voz 3  0:10\n=HYPERLINK(x) tachado: ████" in text
    assert document.core_properties.title == "Padrón y salud"
    assert document.core_properties.language == "es-ES"
    default = document.styles.element.find(f".//{qn('w:lang')}")
    assert default.get(qn("w:val")) == "es-ES"


def test_what_is_written_from_right_to_left_is_marked(
    client: Client, cast: Cast, consent: Consent, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    talk = told.conversation(consent, cast)
    told.transcribed(talk, language="ar")
    document = docx.Document(BytesIO(client.get(address(talk, "docx")).content))
    said = next(p for p in document.paragraphs if SPOKEN in p.text)
    assert said.runs[-1].font.rtl
    assert said._p.pPr.find(qn("w:bidi")) is not None
    assert said.runs[-1]._r.rPr.find(qn("w:lang")).get(qn("w:bidi")) == "ar"


def test_text_reads_like_the_page(client: Client, talk: Conversation) -> None:
    lines = export(client, talk, "txt").splitlines()
    assert lines[:3] == ["Padrón y salud", "", "Vive con su prima."]
    assert "Idioma: Español" in lines
    assert lines[-4:] == [
        "[0:00] Ana Robles: Buenos días. ¿Está usted empadronada?",
        "(Pausa privada · 2 min 10 s: no se grabó nada)",
        f"[0:05] Fátima Belkacem: {SPOKEN}",
        "[0:10] Voz 3: =HYPERLINK(x) tachado: ████",
    ]


def test_webvtt_keeps_markup_as_text(client: Client, talk: Conversation) -> None:
    cues = list(webvtt.from_buffer(StringIO(export(client, talk, "vtt")), strict=True))
    assert {cue.voice for cue in cues} == {"Ana Robles", "Fátima Belkacem", "Voz 3"}
    theirs = [cue for cue in cues if cue.voice == "Fátima Belkacem"]
    assert theirs[0].start == "00:00:05.000"
    raw = " ".join(cue.raw_text for cue in theirs)
    assert "&lt;b&gt;en&lt;/b&gt;" in raw
    assert "--&gt; desde marzo." in raw


def test_subrip_is_read_back(client: Client, talk: Conversation) -> None:
    cues = list(
        webvtt.from_buffer(StringIO(export(client, talk, "srt")), format="srt", strict=True)
    )
    assert not any("\x1b" in cue.text for cue in cues)
    assert cues[0].text == "Ana Robles: Buenos días. ¿Está usted empadronada?"
    assert [cue.start for cue in cues][:2] == ["00:00:00.000", "00:00:05.000"]


def test_json_is_what_portal_transcribe_gives(client: Client, talk: Conversation) -> None:
    transcript = formats.from_json(export(client, talk, "json"))
    assert [turn.speaker for turn in transcript.turns] == ["empleado", "usuario", "otro"]
    assert [turn.text for turn in transcript.turns] == [text for _, _, text in told.LINES]
    assert (transcript.engine, transcript.language, transcript.duration) == ("local", "es", 29.0)
    kept = list(Turn.objects.values_list("words", flat=True))
    assert [
        [[w.text, w.start, w.end, w.probability] for w in turn.words] for turn in transcript.turns
    ] == kept


def test_audio_is_what_is_played_by_a_name_and_in_ranges(
    client: Client, talk: Conversation
) -> None:
    response = client.get(address(talk, "audio"))
    assert body_of(response) == told.SOUND
    assert response["Content-Disposition"] == (
        "attachment; filename*=utf-8''2026-11-24%20F%C3%A1tima%20Belkacem%20-%20Padr%C3%B3n%20y"
        "%20salud.ogg".replace("2026-11-24", f"{timezone.localdate()}")
    )
    part = client.get(address(talk, "audio"), headers={"Range": "bytes=0-9"})
    assert (part.status_code, body_of(part)) == (206, told.SOUND[:10])


def test_the_api_gives_the_same(client: Client, talk: Conversation) -> None:
    for chosen in Format.values:
        page = client.get(address(talk, chosen))
        api = client.get(f"/api/v1/conversations/{talk.pk}/export/{chosen}")
        for name in ("Content-Type", "Content-Disposition"):
            assert page[name] == api[name]
        if chosen not in ("docx", "audio"):
            assert page.content == api.content
    assert client.get(f"/api/v1/conversations/{talk.pk}/export/pdf").status_code == 422
    assert client.get(address(talk, "pdf")).status_code == 404


@pytest.mark.parametrize("chosen", ["docx", "txt", "vtt", "srt", "json"])
def test_without_a_transcript_it_is_said_and_the_audio_is_there(
    client: Client, cast: Cast, consent: Consent, chosen: str, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    talk = told.conversation(consent, cast, status="failed")
    page = client.get(address(talk, chosen), follow=True)
    assert "todavía no tiene transcripción" in page.content.decode()
    refused = client.get(f"/api/v1/conversations/{talk.pk}/export/{chosen}")
    assert (refused.status_code, refused.json()["code"]) == (409, "no_transcript")
    assert client.get(address(talk, "audio")).status_code == 200


def test_audio_that_is_gone_is_said(client: Client, talk: Conversation) -> None:
    talk.recording.file.storage.delete(talk.recording.file.name)
    page = client.get(address(talk, "audio"), follow=True)
    assert "No se encuentra el audio" in page.content.decode()


@pytest.mark.parametrize("chosen", Format.values)
def test_what_is_no_longer_agreed_to_stays_here(
    client: Client, talk: Conversation, chosen: str
) -> None:
    Consent.objects.update(withdrawn_at=timezone.now())
    page = client.get(address(talk, chosen), follow=True)
    assert "ha retirado su consentimiento" in page.content.decode()
    refused = client.get(f"/api/v1/conversations/{talk.pk}/export/{chosen}")
    assert (refused.status_code, refused.json()["code"]) == (409, "consent_withdrawn")


@pytest.mark.parametrize("chosen", Format.values)
def test_the_log_says_what_left_and_names_nobody(
    client: Client, talk: Conversation, caplog: pytest.LogCaptureFixture, chosen: str
) -> None:
    with caplog.at_level(logging.INFO):
        client.get(address(talk, chosen))
    assert f"conversation {talk.pk} exported as {chosen}" in caplog.text
    for secret in ("Fátima", "Robles", "Padrón", "Olmo"):
        assert secret not in caplog.text


def test_the_audio_made_for_playing_is_what_leaves(
    client: Client, talk: Conversation, participant: Participant
) -> None:
    playback = Playback(conversation=talk, size=4, sha256="1" * 64, duration=1.0)
    playback.file.save("playing.webm", ContentFile(b"opus"))
    playback.save()
    assert client.get(address(talk, "audio"))["Content-Disposition"].endswith(".webm")
