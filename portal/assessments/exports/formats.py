"""The formats in which fichas are taken away, and the names of their files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from portal.accounts.models import Employee, Team
from portal.assessments import services
from portal.assessments.exports import fhir, pdf, reading, tables
from portal.conversations import filenames
from portal.conversations.errors import Refused
from portal.participants.models import Participant


class Format(models.TextChoices):
    PDF = "pdf", gettext_lazy("PDF para imprimir y firmar")
    XLSX = "xlsx", gettext_lazy("Excel")
    CSV = "csv", gettext_lazy("CSV para otros programas")
    FHIR = "fhir", gettext_lazy("FHIR R4 (JSON) para sistemas de salud")


OF_TEAMS = (Format.XLSX, Format.CSV, Format.FHIR)
"""A PDF is of one person, to be signed."""

CONTENT_TYPES = {
    Format.PDF: "application/pdf",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.CSV: "text/csv; charset=utf-8",
    Format.FHIR: "application/fhir+json",
}
SUFFIXES = {
    Format.PDF: ".pdf",
    Format.XLSX: ".xlsx",
    Format.CSV: ".csv",
    Format.FHIR: ".fhir.json",
}


@dataclass(frozen=True, slots=True)
class File:
    """``content``: whole, or in pieces that are made as they are sent."""

    name: str
    content_type: str
    content: bytes | Iterator[bytes]


def of_participant(participant: Participant, chosen: Format) -> File:
    """One person's ficha. Raises Refused before there is one, and where no PDF can be made."""
    if not participant.conversations.exists():
        raise Refused(
            "no_sheet",
            _(
                "La ficha empieza con la primera conversación: todavía no hay nada que llevarse "
                "de esta persona."
            ),
            status=409,
        )
    ficha = reading.of_sheet(services.sheet_for(participant))
    forms = [ficha.form, *(form for form, _given in ficha.earlier)]
    match chosen:
        case Format.PDF:
            content = pdf.pdf(ficha)
        case Format.XLSX:
            content = tables.xlsx([[ficha]], tables.columns(forms, named=True))
        case Format.CSV:
            columns = tables.columns(forms, named=True)
            content = b"".join(tables.csv_pieces([[ficha]], columns))
        case Format.FHIR:
            content = b"".join(fhir.bundle([[ficha]], forms))
    return _file(filenames.safe(ficha.name, filenames.NAME), _("ficha"), chosen, content)


def of_team(*, employee: Employee, team: Team, chosen: Format, named: bool) -> File:
    """All fichas of a team that ``employee`` may see, as one of OF_TEAMS. ``named``: with the
    persons' names, where the format has any. Raises Refused when there is none."""
    sheets = reading.sheets_of(employee, team)
    forms = reading.forms(sheets)
    if not forms:
        raise Refused(
            "no_sheets",
            _(
                "En este equipo todavía no hay ninguna ficha: empiezan con la primera conversación "
                "de cada persona."
            ),
            status=409,
        )
    content: bytes | Iterator[bytes]
    columns = tables.columns(forms.values(), named=named)
    match chosen:
        case Format.XLSX:
            batches = reading.each(sheets, forms, with_quotes=False)
            content = tables.xlsx(batches, columns)
        case Format.CSV:
            batches = reading.each(sheets, forms, with_quotes=False)
            content = _spoken_in(employee.language, tables.csv_pieces(batches, columns))
        case _:
            batches = reading.each(sheets, forms, with_quotes=True)
            content = _spoken_in(employee.language, fhir.bundle(batches, forms.values()))
    return _file(filenames.safe(team.name, filenames.NAME), _("fichas"), chosen, content)


def _spoken_in(language: str, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Each piece made in ``language``: between two, somebody else may use the thread."""
    while True:
        with override(language):
            piece = next(pieces, None)
        if piece is None:
            return
        yield piece


def _file(whose: str, what: str, chosen: Format, content: bytes | Iterator[bytes]) -> File:
    """Named as "2026-11-24 Ana Pérez - ficha.pdf"."""
    named = " - ".join(filter(None, [whose, what]))
    return File(
        name=f"{timezone.localdate()} {named}{SUFFIXES[chosen]}",
        content_type=CONTENT_TYPES[chosen],
        content=content,
    )
