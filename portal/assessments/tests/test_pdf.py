"""The ficha on paper, read back by pypdf."""

from __future__ import annotations

import io
import logging

import pypdf
import pytest
from django.utils import translation

from portal.assessments.exports import pango, pdf
from portal.assessments.exports.snapshot import Ficha, Given
from portal.assessments.tests.fichas import FILLED, NAME, ficha, machine, person, said
from portal.conversations.errors import Refused


def read(made: Ficha) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(pdf.pdf(made)))


def text_of(reader: pypdf.PdfReader) -> str:
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_it_can_be_read_signed_and_walked() -> None:
    reader = read(ficha({**FILLED, ("vivienda", "personas"): machine("Somos cuatro", 4)}))
    text = text_of(reader)
    for said_there in (
        f"Ficha de {NAME}", "Oficina Centro", "Padrón y salud · Ana Robles · 30 minutos",
        "Voy a preguntarle por su casa.", "¿Cuántas personas viven en casa? Somos cuatro",
        "Propuesta automática, sin revisar", "«Somos cuatro en casa» — entrevista 1, 1:05",
        "2 respuestas son propuestas automáticas que nadie ha revisado", "De alquiler",
        "Luz, Gas", "Firma", "Por la oficina (nombre)", "Página 1 de 2", "Datos personales",
    ):  # fmt: skip
        assert said_there in text, said_there
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "es"
    assert root["/MarkInfo"]["/Marked"]
    assert root["/StructTreeRoot"]
    assert reader.metadata is not None
    assert reader.metadata.title == f"Ficha de {NAME}"
    box = reader.pages[0].mediabox
    assert (round(box.width), round(box.height)) == (595, 842)
    fonts = {
        str(font.get_object()["/BaseFont"])
        for font in reader.pages[0]["/Resources"]["/Font"].values()
    }
    assert any("Atkinson" in font for font in fonts)


def test_it_speaks_the_language_of_the_page() -> None:
    with translation.override("en"):
        reader = read(ficha())
    assert reader.trailer["/Root"]["/Lang"] == "en"
    assert "Page 1 of 2" in text_of(reader)


def test_states_are_told_and_what_may_not_leave_is_not_there() -> None:
    withheld = Given(is_withheld=True)
    declined = Given("declined", origin="person", is_reviewed=True)
    given = {("vivienda", "lugar"): withheld, ("vivienda", "desde"): declined}
    text = text_of(read(ficha(given, skipped=frozenset({"suministros"}))))
    assert "Falta lo que se dijo en conversaciones cuyo consentimiento ha retirado" in text
    assert "¿Dónde vive? No sale" in text
    assert "¿Desde cuándo? Prefirió no contestar" in text
    assert "¿Cuánto paga? Sin preguntar" in text
    assert "sin revisar" not in text
    assert "suministros" not in text


def test_a_long_one_goes_on_over_pages() -> None:
    long = person("una respuesta muy larga " * 60 + "x" * 500)
    reader = read(ficha(dict.fromkeys(FILLED, long)))
    assert len(reader.pages) > 2
    for number, page in enumerate(reader.pages, start=1):
        assert f"Página {number} de {len(reader.pages)}" in page.extract_text()


def test_what_was_said_is_text_and_fetches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = (
        '<img src="file:///etc/passwd"><link rel=attachment href="file:///etc/passwd">'
        "<script>x</script><style>*{display:none}</style> {{ 1|add:1 }}"
    )
    made = ficha(
        {("vivienda", "lugar"): machine(hostile, quotes=(said(hostile),))}, name=f"{NAME}<b>"
    )
    fetched: list[str] = []
    read_static = pdf._static
    monkeypatch.setattr(pdf, "_static", lambda name: fetched.append(name) or read_static(name))
    reader = read(made)
    text = text_of(reader)
    assert "<script>x</script>" in text
    assert "{{ 1|add:1 }}" in text
    assert not reader.attachments
    assert set(fetched) <= {*pdf.STYLES, *pdf.MAY_READ}
    assert "web/mark.svg" in fetched


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "https://example.org/x.png",
        f"{pdf.STATIC}../../../etc/passwd",
        f"{pdf.STATIC}web/js/shell.js",
        "data:text/plain,x",
        "web/mark.svg",
    ],
)
def test_nothing_but_our_own_is_fetched(url: str) -> None:
    with pytest.raises(ValueError, match="not one of ours"):
        pdf._fetcher().fetch(url)


def test_nothing_that_was_said_is_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        read(ficha({("vivienda", "lugar"): person("Olmo </style><img src=olmo:x>")}))
    assert "lmo" not in caplog.text


def test_without_pango_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pango, "LIBRARIES", ("libpango-that-is-not-there.so.0",))
    pdf.problem.cache_clear()
    try:
        assert pdf.problem() == "libpango-that-is-not-there.so.0"
        with pytest.raises(Refused) as refused:
            pdf.pdf(ficha())
    finally:
        pdf.problem.cache_clear()
    assert (refused.value.code, refused.value.status) == ("no_pdf", 503)
    assert "falta una pieza del sistema (Pango)" in refused.value.public_message
