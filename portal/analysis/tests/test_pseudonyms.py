"""What tells who somebody is does not leave, and comes back as it was."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.analysis.engines.base import Turn
from portal.analysis.engines.llm import LlmEngine
from portal.analysis.engines.pseudonymous import Pseudonymous
from portal.analysis.llm.endpoint import Endpoint
from portal.analysis.pseudonyms import Pseudonyms
from portal.analysis.text import fold
from tests.contracts.analysis import QUESTIONS, TALK, AnalysisEngineContract
from tests.servers.brains import Reader
from tests.servers.openai_server import serve

TELLING = (
    "Fátima", "Belkacem", "fatima@example.org", "600 123 456", "+34 911 22 33 44", "12345678Z",
    "X-1234567-L", "AB123456", "Zarzaparrilla", "rosa arroba correo punto es",
    "seis cero cero uno dos tres cuatro cinco seis",
)  # fmt: skip
PIECES = (
    "Me llamo Fátima Belkacem",
    "mi correo es fatima@example.org",
    "el teléfono es 600 123 456",
    "o el +34 911 22 33 44",
    "tengo el DNI 12345678Z",
    "y el NIE X-1234567-L",
    "el pasaporte es AB123456",
    "vivo en la calle de la Zarzaparrilla 12, 3º B",
    "escriba a rosa arroba correo punto es",
    "es el seis cero cero uno dos tres cuatro cinco seis",
)
KEPT = (
    "Soy de Colombia y vivo en Zaragoza desde 2019.",
    "Tengo 3 hijos y cobro 1.100 euros al mes.",
    "El lunes voy a Cruz Roja, en el centro.",
    "No, estoy en trámites; llevo dos años aquí.",
    "¿Está usted empadronada? Sí.",
    "Vivo en la calle.",
)
odd = st.text(alphabet="aR 1@._+ñÁNOMBRE_\n\x00", max_size=40)
talk = st.lists(st.one_of(st.sampled_from((*PIECES, *KEPT, *TELLING)), odd), max_size=8)


@given(st.lists(talk.map(", ".join), max_size=4), st.lists(st.sampled_from(TELLING), max_size=2))
def test_what_is_hidden_comes_back_exactly(texts: list[str], names: list[str]) -> None:
    pseudonyms = Pseudonyms(texts, names=names)
    hidden = [pseudonyms.hide(text) for text in texts]
    assert [pseudonyms.restore(text) for text in hidden] == texts
    # Of the same text always the same is made.
    assert [pseudonyms.hide(text) for text in texts] == hidden


@given(st.permutations(PIECES), st.sampled_from([", ", ". ", "\n"]))
def test_nothing_telling_is_left(pieces: list[str], joint: str) -> None:
    text = joint.join(pieces)
    hidden = Pseudonyms([text]).hide(text)
    assert [what for what in TELLING if what in hidden] == []


@pytest.mark.parametrize("text", KEPT)
def test_what_an_answer_needs_stays(text: str) -> None:
    assert Pseudonyms([text]).hide(text) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("Me llamo Rosa y mi hijo Youssef", "Me llamo NOMBRE_1 y mi hijo NOMBRE_2"),
        ("Youssef. YOUSSEF no, Youssef Amrani", "NOMBRE_1. NOMBRE_1b no, NOMBRE_1c"),
        ("me llamo wenceslada", "me llamo NOMBRE_1"),
        ("doña Wenceslada García López", "doña NOMBRE_1"),
        ("En la calle Luna, número 5.", "En la calle DIRECCION_1."),
        ("en la avenida de los Olmos", "en la avenida DIRECCION_1"),
        ("NOMBRE_1 es Rosa María", "NOMBRE_1 es XNOMBRE_1"),
        ("ANA1 y la calle luna2", "NOMBRE_1 y la calle DIRECCION_2"),
        ("Dice María del Carmen Ruiz que sí.", "Dice NOMBRE_1 que sí."),
    ],
)
def test_placeholders(text: str, hidden: str) -> None:
    pseudonyms = Pseudonyms([text], names=["Rosa María"] if "Rosa María" in text else [])
    assert pseudonyms.hide(text) == hidden
    assert pseudonyms.restore(hidden) == text


def test_known_names_go_however_they_are_written() -> None:
    text = "wenceslada vino con Olmo; Wenceslada Olmo."
    hidden = Pseudonyms([text], names=["Wenceslada de Olmo"]).hide(text)
    assert "olmo" not in hidden.lower() and "wenceslada" not in hidden.lower()


@pytest.mark.parametrize(
    "name", ["Zoraída Bélkacem", "Nadège N'Diaye", "Aïcha Peña", "Fátima Núñez", "Zoë Şahin"]
)
def test_known_names_go_without_their_accents_too(name: str) -> None:
    bare = fold(name)
    texts = [
        f"mire, {written} vino con {written.split()[1]}; y {written.split()[0]}: sí"
        for one in (name, unicodedata.normalize("NFD", name), bare)
        for written in (one, one.upper(), one.lower())
    ]
    for known in (name, unicodedata.normalize("NFD", name), bare):
        pseudonyms = Pseudonyms(texts, names=[known])
        hidden = [pseudonyms.hide(text) for text in texts]
        assert [word for word in bare.split() if word in fold(" ".join(hidden))] == []
        assert [pseudonyms.restore(text) for text in hidden] == texts
        # All the ways to write somebody are one person.
        assert {re.sub(r"(?<=\d)[a-z]", "", text) for text in hidden} == {
            "mire, NOMBRE_1 vino con NOMBRE_2; y NOMBRE_1: sí"
        }


class TestPseudonymous(AnalysisEngineContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> Iterator[Pseudonymous]:
        with serve(Reader()) as server:
            endpoint = Endpoint(server.model, server.url, server.api_key, retries=0)
            yield Pseudonymous(LlmEngine(endpoint), names=["Rosa Belkacem"])


def test_the_server_is_not_told() -> None:
    turns = [
        Turn("empleado", "Buenos días, Rosa. ¿Está usted empadronada?"),
        Turn("usuario", "Sí, en la calle Luna; escriba a Rosa: rosa@example.org, 600123456."),
        *TALK[4:],
    ]
    with serve(Reader()) as server:
        endpoint = Endpoint(server.model, server.url, server.api_key, retries=0)
        engine = Pseudonymous(LlmEngine(endpoint), names=["Rosa"])
        found = engine.assess(turns, QUESTIONS)[1]
        assert found.state == "answered" and "Luna" in found.evidence[-1].quote
        engine.describe(turns)
        engine.assess_live(turns, QUESTIONS)
        *pieces, reply = engine.ask_stream(turns, "¿En qué calle está empadronada Rosa?")
        assert "".join(map(str, pieces)) == getattr(reply, "answer", None)
        sent = "\n".join(server.prompts)
        assert [w for w in ("Rosa", "Luna", "rosa@", "600123456") if w in sent] == []
        assert len(server.requests) == 3
