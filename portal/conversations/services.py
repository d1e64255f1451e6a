"""How a file becomes a conversation."""

from __future__ import annotations

from pathlib import PurePath

from django.core.files import File
from django.core.files.storage import default_storage
from django.db import OperationalError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from portal.accounts.models import Employee
from portal.conversations import filing, partfiles
from portal.conversations.errors import Refused
from portal.conversations.models import (
    Conversation,
    ProcessingStep,
    Recording,
    Upload,
    recording_path,
)
from portal.conversations.partfiles import ByteStream
from portal.conversations.refusals import (
    check_consent,
    check_consent_to_begin,
    check_engine,
    check_filename,
    check_language,
    check_size,
    check_speakers,
    disk_full,
)
from portal.conversations.retrying import enqueue
from portal.conversations.steps import StepName
from portal.participants import services as participants
from portal.participants.models import Consent, Participant


@transaction.atomic
def start_upload(
    *,
    employee: Employee,
    participant: Participant,
    consent: Consent | None,
    filename: str,
    size: int,
    engine: str,
    language: str = "",
    speakers: int = 2,
) -> Upload:
    """Promise to take ``size`` bytes. ``language``: ISO 639-1, or "" for the engine to tell;
    ``speakers``: how many people are to be told apart.

    Raises Refused.
    """
    consent = check_consent_to_begin(consent, participant)
    check_engine(engine, participant)
    check_language(language)
    check_speakers(speakers)
    check_filename(filename)
    check_size(size)
    upload = Upload.objects.create(
        participant=participant,
        consent=consent,
        created_by=employee,
        filename=PurePath(filename.replace("\\", "/")).name[-255:],
        size=size,
        engine=engine,
        language=language,
        speakers=speakers,
    )
    partfiles.create(partfiles.path_of(upload.id))
    return upload


def append(*, upload: Upload, offset: int, stream: ByteStream) -> Upload:
    """Put what ``stream`` gives at ``offset``; what is acknowledged is on disk.

    Raises Refused: ``wrong_offset``, ``busy``, ``too_large``, ``gone``, ``disk_full`` (what came
    before the disk was full stays and is counted).
    """
    with transaction.atomic():
        upload = _locked(upload)
        if upload.conversation_id is not None or offset != upload.offset:
            raise Refused(
                "wrong_offset", _("La subida va por otro punto. Se retoma sola."), status=409
            )
        check_consent(upload.consent, upload.participant)
        try:
            upload.offset, roomy = partfiles.append(
                partfiles.path_of(upload.id), offset=offset, stream=stream, size=upload.size
            )
        except partfiles.TooLong:
            raise Refused(
                "too_large",
                _(
                    "Han llegado más datos de los anunciados: el archivo ha cambiado mientras se "
                    "enviaba. Vuelva a elegirlo y súbalo de nuevo."
                ),
                status=413,
            ) from None
        except (partfiles.Shorter, FileNotFoundError):
            raise _gone() from None
        upload.save(update_fields=["offset"])
    if not roomy:
        raise disk_full()
    return upload


def finish(*, upload: Upload) -> Conversation:
    """The conversation of an upload whose last byte is here; asking again gives the same answer.

    A new one takes the upload's id, so that whatever happened half way, a second try finds what
    the first one left. Another id means that this very file was here already. Raises Refused.
    """
    with transaction.atomic():
        upload = _locked(upload)
        if upload.conversation is not None:
            return upload.conversation
        if upload.offset < upload.size:
            raise Refused("incomplete", _("Todavía falta parte del archivo."), status=409)
        check_consent(upload.consent, upload.participant)
        # One after another per person: two sendings of one file must see each other.
        Participant.objects.select_for_update().get(pk=upload.participant_id)
        part = partfiles.path_of(upload.id)
        recording = Recording(
            conversation_id=upload.id, original_name=upload.filename, size=upload.size
        )
        name = recording_path(recording, upload.filename)
        try:
            recording.sha256 = filing.sha256(part, name)
        except (FileNotFoundError, NotImplementedError):
            raise _gone() from None
        upload.conversation = Conversation.objects.filter(
            participant=upload.participant_id, recording__sha256=recording.sha256
        ).first()
        if upload.conversation is None:
            recording.file.name = filing.put(part, name)
            upload.conversation = create(
                recording=recording,
                participant=upload.participant,
                consent=upload.consent,
                employee=upload.created_by,
                engine=upload.engine,
                language=upload.language,
                speakers=upload.speakers,
            )
        else:
            transaction.on_commit(lambda: default_storage.delete(name))
        upload.save(update_fields=["conversation"])
        participants.touch(upload.participant)
        # Not sooner: until the rows are there, these may be the only bytes.
        transaction.on_commit(lambda: part.unlink(missing_ok=True))
    return upload.conversation


def create(
    *,
    recording: Recording,
    participant: Participant,
    consent: Consent,
    employee: Employee,
    engine: str,
    language: str,
    speakers: int,
    duration: float | None = None,
) -> Conversation:
    """The conversation of a recording that is in its place and names its id, with its steps and
    the job that does them. Part of the caller's transaction."""
    conversation = Conversation.objects.create(
        id=recording.conversation_id,
        participant=participant,
        consent=consent,
        created_by=employee,
        engine=engine,
        language=language,
        speakers=speakers,
        duration=duration,
    )
    recording.save(force_insert=True)
    ProcessingStep.objects.bulk_create(
        ProcessingStep(conversation=conversation, name=name, position=position)
        for position, name in enumerate(StepName)
    )
    enqueue(conversation)
    return conversation


def cancel_upload(*, upload: Upload) -> None:
    """Forget an unfinished upload and what came of it: the person asked for that."""
    with transaction.atomic():
        upload = _locked(upload)
        if upload.conversation_id is not None:
            raise Refused(
                "finished",
                _("El archivo ya ha llegado entero: la conversación está en la lista."),
                status=409,
            )
        part = partfiles.path_of(upload.id)
        upload.delete()
        transaction.on_commit(lambda: part.unlink(missing_ok=True))


def receive(
    *,
    employee: Employee,
    participant: Participant,
    consent: Consent | None,
    file: File[bytes],
    engine: str,
    language: str = "",
    speakers: int = 2,
) -> Conversation:
    """Take a whole file that a form or the API brought, the same way as an upload."""
    upload = start_upload(
        employee=employee,
        participant=participant,
        consent=consent,
        filename=file.name or "audio",
        size=file.size,
        engine=engine,
        language=language,
        speakers=speakers,
    )
    append(upload=upload, offset=0, stream=file)
    return finish(upload=upload)


def finish_complete_uploads() -> int:
    """Finish what arrived whole but was left half way, by a crash and a browser gone since."""
    left = Upload.objects.filter(offset=F("size"), conversation=None, consent__withdrawn_at=None)
    done = 0
    for upload in left:
        try:
            finish(upload=upload)
        except Refused:
            continue
        done += 1
    return done


def _locked(upload: Upload) -> Upload:
    """The row, ours until the transaction ends. Raises Refused when somebody else has it."""
    try:
        return (
            Upload.objects.select_for_update(nowait=True, of=("self",))
            .select_related("consent", "participant", "conversation")
            .get(pk=upload.pk)
        )
    except OperationalError:
        raise Refused(
            "busy", _("Otra pestaña está enviando este archivo. Espere un momento."), status=423
        ) from None
    except Upload.DoesNotExist:
        raise _gone() from None


def _gone() -> Refused:
    return Refused(
        "gone", _("Lo que se había recibido ya no está. Vuelva a subir el archivo."), status=410
    )
