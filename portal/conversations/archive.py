"""Everything of a person's conversations in one zip, made while it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.fields.files import FieldFile
from django.utils import timezone, translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from zipstream import ZIP_DEFLATED, ZIP_STORED, ZipStream

from portal.accounts.models import Employee
from portal.conversations import exports, filenames, queries
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation
from portal.participants.models import Participant
from portal.speech import formats

BLOCK = 256 * 1024
"""Bytes of a recording that are read at once."""


def of_participant(*, employee: Employee, participant: Participant) -> Iterator[bytes]:
    """The zip in pieces: in memory there is never more than the texts of one conversation.

    A conversation whose consent was withdrawn stays out, also when that happens meanwhile, and the
    list of contents says so. Raises Refused, before the first piece, when nothing would be in it.
    """
    visible = queries.exportable(employee).filter(participant=participant).order_by("created_at")
    pks = list(visible.values_list("pk", flat=True))
    if not pks:
        raise Refused(
            "nothing", _("Esta persona todavía no tiene conversaciones que descargar."), status=409
        )
    if not visible.filter(consent__withdrawn_at=None).exists():
        raise exports.withdrawn()
    return _pieces(visible, pks, employee, participant)


def blocks(file: FieldFile) -> Iterator[bytes]:
    """Of a recording, wherever it is kept."""
    with file.open("rb") as opened:
        yield from opened.chunks(BLOCK)


def _pieces(
    visible: QuerySet[Conversation], pks: list[UUID], employee: Employee, participant: Participant
) -> Iterator[bytes]:
    archive = ZipStream(compress_type=ZIP_DEFLATED)
    contents = _Contents(employee, participant)
    for pk in pks:
        # Around each stretch by itself: between two pieces somebody else may use the thread.
        with translation.override(employee.language):
            conversation = visible.filter(pk=pk).first()
            if conversation is not None:
                _add(archive, conversation, contents)
        yield from archive.all_files()
    with translation.override(employee.language):
        archive.add(contents.text(), _("Contenido.txt"))
    yield from archive.finalize()


class _Contents:
    """What went into an archive, as it is told in it."""

    def __init__(self, employee: Employee, participant: Participant) -> None:
        self.employee, self.participant = employee, participant
        self.folders: set[str] = set()
        self.lines: list[str] = []
        self.left_out = 0

    def folder(self, conversation: Conversation) -> str:
        name = filenames.unique(filenames.of_folder(conversation), self.folders)
        self.folders.add(name.casefold())
        self.lines += ["", name]
        return name

    def note(self, text: str) -> None:
        self.lines.append(f"- {text}")

    def text(self) -> str:
        now = date_format(timezone.localtime(), r"j \d\e F \d\e Y, H:i")
        head = [
            _("Conversaciones de %(name)s") % {"name": self.participant.name},
            _("Descargadas por %(name)s el %(when)s") % {"name": self.employee.name, "when": now},
            "",
            exports.notice(),
        ]
        if self.left_out:
            missing = ngettext(
                "No está %d conversación: la persona retiró el consentimiento con que se grabó.",
                "No están %d conversaciones: la persona retiró el consentimiento con que se "
                "grabaron.",
                self.left_out,
            )
            head += ["", missing % self.left_out]
        return "".join(f"{formats.one_line(line)}\n" for line in [*head, *self.lines])


def _add(archive: ZipStream, conversation: Conversation, contents: _Contents) -> None:
    try:
        exports.check_consent(conversation)
    except Refused:
        contents.left_out += 1
        return
    folder = contents.folder(conversation)
    for chosen in exports.WRITERS:
        try:
            text = exports.written(conversation, chosen)
        except Refused as refused:
            contents.note(refused.public_message)
            break
        name = filenames.of_conversation(conversation, f".{chosen}")
        archive.add(text, f"{folder}/{name}")
        contents.note(name)
    try:
        file = exports.sound(conversation)
        size = file.size
    except (Refused, FileNotFoundError):
        contents.note(_("El audio no se encuentra."))
        return
    name = filenames.of_conversation(conversation, PurePath(str(file.name)).suffix)
    archive.add(blocks(file), f"{folder}/{name}", size=size, compress_type=ZIP_STORED)
    contents.note(name)
