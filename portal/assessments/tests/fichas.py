"""A ficha of every kind of question, in frozen values: formats are tried without a database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

from portal.assessments.exports.snapshot import (
    Asked,
    Ficha,
    Form,
    Given,
    Interview,
    Key,
    Quote,
    Section,
)

PERSON = UUID("7f1c8a52-3e0d-4a53-9a6e-0c1f8e4b2d10")
FIRST, SECOND = UUID(int=1), UUID(int=2)
HELD_AT = datetime(2026, 11, 3, 9, 30, tzinfo=UTC)
NAME = "Fátima Belkacem"
SAID = "Somos cuatro en casa"

HOME = Section(
    slug="vivienda",
    name="Vivienda",
    colour="green",
    icon="house",
    questions=(
        Asked("aviso", "Voy a preguntarle por su casa.", kind="note"),
        Asked("lugar", "¿Dónde vive?", required=True),
        Asked("personas", "¿Cuántas personas viven en casa?", kind="integer"),
        Asked("alquiler", "¿Cuánto paga?", kind="decimal", relevant="${personas} > 0"),
        Asked("desde", "¿Desde cuándo?", kind="date"),
        Asked(
            "regimen",
            "¿En qué régimen?",
            kind="select_one",
            choices={"alquiler": "De alquiler", "propia": "En propiedad"},
        ),
        Asked(
            "suministros",
            "¿Qué suministros tiene?",
            kind="select_multiple",
            choices={"luz": "Luz", "agua": "Agua", "gas": "Gas"},
        ),
    ),
)
FORM = Form(
    pk=1,
    slug="acogida",
    version=2,
    team=None,
    name="Acogida y valoración",
    language="es",
    published_at=HELD_AT,
    sections=(HOME,),
    keys={},
)


def said(text: str = SAID, language: str = "es") -> Quote:
    return Quote(text, language, 65.25, 67.5, FIRST)


def machine(value: str, typed: object = None, **fields: object) -> Given:
    given: dict[str, object] = {
        "state": "answered",
        "value": value,
        "typed": typed,
        "origin": "machine",
        "engine": "local",
        "model": "1",
        "interview": FIRST,
        "quotes": (said(),),
    }
    return Given(**given | fields)  # type: ignore[arg-type]


def person(value: str, typed: object = None) -> Given:
    return Given("answered", value, typed, "person", is_reviewed=True)


FILLED: Mapping[Key, Given] = {
    ("vivienda", "lugar"): person("En la calle Olmo\ncon mi prima"),
    ("vivienda", "personas"): machine("Somos cuatro", 4),
    ("vivienda", "alquiler"): machine("350,50 euros", 350.5, is_reviewed=True),
    ("vivienda", "desde"): person("desde marzo", "2026-03-01"),
    ("vivienda", "regimen"): machine("de alquiler", "alquiler"),
    ("vivienda", "suministros"): person("Luz y gas", ["luz", "gas"]),
}


def ficha(given: Mapping[Key, Given] = FILLED, **fields: object) -> Ficha:
    values: dict[str, object] = {
        "participant": PERSON,
        "name": NAME,
        "team": 7,
        "team_name": "Oficina Centro",
        "form": FORM,
        "given": given,
        "interviews": (
            Interview(FIRST, 1, "Padrón y salud", HELD_AT, 1830.0, "Ana Robles"),
            Interview(SECOND, 2, "Segunda visita", HELD_AT, None, "Bruno Salas"),
        ),
        "answered": 6,
        "reviewed": 4,
        "total": 6,
        "updated_at": HELD_AT,
    }
    return Ficha(**values | fields)  # type: ignore[arg-type]
