"""A ficha on paper: to be read through together, signed and filed.

WeasyPrint draws with Pango, which is a package of the system and may not be there: everything here
may raise Refused, with a sentence that says so.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.staticfiles import finders
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.assessments.exports import pango
from portal.assessments.exports.snapshot import Asked, Ficha, Given, Quote, Section, names_chosen
from portal.assessments.models import Answer
from portal.conversations.errors import Refused

STATIC = "https://portal.invalid/static/"
"""An address that nobody answers: what stands there is read from the disk, by name."""

STYLES = ("web/tokens.css", "assessments/exports/ficha.css")
FONT = "vendor/atkinson/files/atkinson-hyperlegible-next-"
MAY_READ = frozenset(
    {
        "web/mark.svg",
        f"{FONT}latin-wght-normal.woff2",
        f"{FONT}latin-wght-italic.woff2",
        f"{FONT}latin-ext-wght-normal.woff2",
    }
)
"""All that a page may fetch; no other file, and nothing from a network."""

# Its log is of styles that are meant for browsers.
for name in ("weasyprint", "weasyprint.progress", "fontTools"):
    logging.getLogger(name).setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Line:
    """A question with what is printed of it; ``quotes`` each with its interview's number."""

    asked: Asked
    given: Given
    value: str
    quotes: tuple[tuple[int, Quote], ...]


@cache
def problem() -> str:
    """What is missing on this machine for a PDF, for whoever looks after it; "" when nothing is.
    Quick: loading WeasyPrint itself would make the page that offers the PDF wait."""
    return "weasyprint" if find_spec("weasyprint") is None else ", ".join(pango.missing())


def cannot() -> str:
    """What people are told instead; "" when a PDF can be made."""
    if not problem():
        return ""
    return _(
        "En este servidor no se puede hacer el PDF: falta una pieza del sistema (Pango). Quien "
        "administra el portal puede instalarla; «portal doctor» dice cómo."
    )


def pdf(ficha: Ficha) -> bytes:
    """A4, tagged, in the language of the page. Raises Refused where there is no Pango."""
    if message := cannot():
        raise Refused("no_pdf", message, status=503)
    import weasyprint
    from weasyprint.text.fonts import FontConfiguration

    html = render_to_string("assessments/exports/ficha.html", context(ficha))
    fetcher, fonts = _fetcher(), FontConfiguration()
    page = weasyprint.HTML(string=html, base_url=STATIC, url_fetcher=fetcher)
    styles = [
        weasyprint.CSS(
            string=_static(name).read_text(),
            base_url=f"{STATIC}{name}",
            url_fetcher=fetcher,
            font_config=fonts,
        )
        for name in STYLES
    ]
    made: bytes = page.write_pdf(stylesheets=styles, font_config=fonts, pdf_variant="pdf/ua-1")
    return made


def context(ficha: Ficha) -> dict[str, object]:
    numbers = {interview.id: interview.number for interview in ficha.interviews}
    sections = []
    for section in ficha.form.sections:
        lines = [
            _line(asked, ficha.given_to((section.slug, asked.slug)), numbers)
            for asked in section.questions
            if asked.slug not in ficha.skipped
        ]
        if lines:
            sections.append((section, lines))
    for form, left in ficha.earlier:
        name = _("De la versión %(version)s del cuestionario") % {"version": form.version}
        lines = [_line(form.find(key)[1], one, numbers) for key, one in left.items()]
        sections.append((Section("", name, "", "", ()), lines))
    every = [line.given for _section, lines in sections for line in lines]
    return {
        "ficha": ficha,
        "sections": sections,
        "proposals": sum(given.is_proposal for given in every),
        "has_withheld": any(given.is_withheld for given in every),
        "language": get_language(),
        "organisation": settings.ENV.organisation,
        "now": timezone.localtime(),
    }


def _line(asked: Asked, given: Given, numbers: dict[UUID, int]) -> Line:
    value = given.value if given.state == Answer.State.ANSWERED else ""
    if chosen := asked.choices and names_chosen(given.typed):
        value = ", ".join(asked.choices.get(name, name) for name in chosen)
    return Line(
        asked=asked,
        given=given,
        value=value,
        quotes=tuple((numbers[quote.interview], quote) for quote in given.quotes),
    )


def _static(name: str) -> Path:
    """Where a file of ours is. Raises FileNotFoundError where the set-up is not whole."""
    found = finders.find(name)
    if not isinstance(found, str):
        raise FileNotFoundError(name)
    return Path(found)


def _fetcher() -> Any:
    """For WeasyPrint: MAY_READ and nothing else. What it refuses is left out of the page."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    class OnlyOurs(URLFetcher):  # type: ignore[misc]  # WeasyPrint is not typed
        def fetch(self, url: str, headers: object = None) -> URLFetcherResponse:
            name = url.removeprefix(STATIC)
            if name == url or name not in MAY_READ:
                raise ValueError("not one of ours")
            return URLFetcherResponse(url, _static(name).read_bytes())

    return OnlyOurs()
