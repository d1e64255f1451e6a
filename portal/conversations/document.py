"""A transcript as a Word document: headings that can be walked, languages that are read aloud as
what they are, pages that are numbered. Knows of no model."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO

import docx as office
from django.conf import settings
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext as _
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Pt, RGBColor
from docx.text.paragraph import Paragraph
from docx.text.run import Run

MUTED = RGBColor(0x59, 0x59, 0x59)  # 7:1 on white
REGIONS = {"es": "es-ES", "en": "en-GB"}
"""What Word calls the languages of the pages."""

# Characters that XML 1.0 cannot hold; everything else, markup included, is written as text.
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Said:
    time: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """A stretch that is not in the recording, in words."""

    text: str


Line = Said | Unrecorded


def docx(
    *,
    title: str,
    summary: str,
    facts: Iterable[tuple[str, str]],
    people: Iterable[tuple[str, str]],
    lines: Iterable[Line],
    language: str,
) -> bytes:
    """``facts``: (what, its value); ``people``: (name, role); ``language``: ISO 639-1 of what is
    said, "" if nobody knows."""
    document = office.Document()
    _prepare(document, title)
    document.add_heading(_clean(title), level=1)
    if summary:
        document.add_paragraph(_clean(summary))
    for what, value in facts:
        line = document.add_paragraph()
        line.paragraph_format.space_after = Pt(2)
        line.add_run(f"{_clean(what)}: ").bold = True
        line.add_run(_clean(value))
    document.add_heading(_("Quién es quién"), level=2)
    for name, role in people:
        document.add_paragraph(f"{_clean(name)} ({_clean(role)})", style="List Bullet")
    document.add_heading(_("Transcripción"), level=2)
    for entry in lines:
        match entry:
            case Said():
                _said(document.add_paragraph(), entry, language)
            case Unrecorded():
                line = document.add_paragraph()
                line.alignment = WD_ALIGN_PARAGRAPH.CENTER
                line.add_run(f"[{_clean(entry.text)}]").italic = True
    file = BytesIO()
    document.save(file)
    return file.getvalue()


def _prepare(document: Document, title: str) -> None:
    language = REGIONS.get(get_language() or "es", "es-ES")
    about = document.core_properties
    about.title, about.author, about.language = _clean(title), settings.ENV.organisation, language
    about.comments = ""  # that of the library's template
    document.styles.element.find(f".//{qn('w:lang')}").set(qn("w:val"), language)
    document.styles["Normal"].font.name = "Calibri"
    foot = document.sections[0].footer.paragraphs[0]
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    number = OxmlElement("w:fldSimple")
    number.set(qn("w:instr"), "PAGE")
    foot._p.append(number)


def _said(line: Paragraph, said: Said, language: str) -> None:
    line.add_run(_clean(said.name)).bold = True
    time = line.add_run(f"  {said.time}")
    time.font.color.rgb = MUTED
    time.font.size = Pt(9)
    time.add_break()
    _speak(line, line.add_run(_clean(said.text)), language)


def _speak(line: Paragraph, run: Run, language: str) -> None:
    """Mark ``run`` as being in ``language``, and its paragraph when that is written from right to
    left; Word does not find out by itself."""
    if not language:
        return
    if _is_written_leftwards(language):
        line._p.get_or_add_pPr().append(OxmlElement("w:bidi"))
        run.font.rtl = True
    mark = OxmlElement("w:lang")
    region = REGIONS.get(language, language)
    for attribute in ("w:val", "w:bidi"):
        mark.set(qn(attribute), region)
    run._r.get_or_add_rPr().append(mark)


def _is_written_leftwards(language: str) -> bool:
    try:
        return bool(get_language_info(language)["bidi"])
    except KeyError:
        return False


def _clean(text: str) -> str:
    return " ".join(NOT_XML.sub(" ", text).split())
