from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from portal.analysis.questionnaire import (
    QuestionnaireError,
    default_questionnaire,
    load_questionnaire,
    read_questionnaire,
)

SLUGS = [
    "nacionalidad",
    "empadronamiento",
    "estudios_homologados",
    "ingresos",
    "electrodomesticos",
    "retrasos_pago",
    "empleo",
    "mayores_16",
    "cuidado_familiares",
    "clima_familiar",
    "lugar_vivir",
    "vivienda_adaptada",
    "habitos_salud",
    "estado_salud",
    "discriminacion",
    "redes_apoyo",
]

SMALL: dict[str, Any] = {
    "name": "Mascotas",
    "domains": [{"id": "casa", "name": "Casa", "colour": "green", "icon": "house"}],
    "questions": [{"id": "perro", "domain": "casa", "text": "¿Tiene perro?", "cues": ["perr*"]}],
}


def changed(**changes: Any) -> dict[str, Any]:
    return {**SMALL, **changes}


def test_the_default_form_has_its_questions_in_order() -> None:
    form = default_questionnaire()
    assert [q.id for q in form.questions] == SLUGS
    assert len(form.domains) == 7
    assert {q.domain for q in form.questions} == {d.id for d in form.domains}
    assert len({d.colour for d in form.domains}) == len({d.icon for d in form.domains}) == 7


def test_every_default_question_can_be_asked_gently_and_recognised() -> None:
    form = default_questionnaire()
    for question in form.questions:
        assert form.prompts[question.id].strip().endswith((".", "?"))
        assert question.cues
        assert sum("?" in e for e in question.examples) >= 10
        assert sum("?" not in e for e in question.examples) >= 10


@pytest.mark.parametrize("suffix", [".json", ".toml"])
def test_json_and_toml_read_alike(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"form{suffix}"
    toml = """
        name = "Mascotas"
        [[domains]]
        id = "casa"
        name = "Casa"
        colour = "green"
        icon = "house"
        [[questions]]
        id = "perro"
        domain = "casa"
        text = "¿Tiene perro?"
        cues = ["perr*"]
    """
    path.write_text(json.dumps(SMALL) if suffix == ".json" else toml, encoding="utf-8")
    assert load_questionnaire(path) == read_questionnaire(SMALL)


def test_the_prompt_is_the_question_when_none_is_given() -> None:
    assert read_questionnaire(SMALL).prompts == {"perro": "¿Tiene perro?"}


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([], "objeto"),
        (changed(domains=[]), "domains"),
        (changed(questions="x"), "questions"),
        (changed(questions=[3]), "número 1"),
        (changed(questions=[{"id": "Perro!"}]), "Perro!"),
        (changed(questions=[{**SMALL["questions"][0], "domain": "mar"}]), "mar"),
        (changed(questions=[{**SMALL["questions"][0], "text": " "}]), "text"),
        (changed(questions=SMALL["questions"] * 2), "repetido"),
        (changed(questions=[{**SMALL["questions"][0], "cues": "perro"}]), "cues"),
        (changed(questions=[{**SMALL["questions"][0], "cues": ["a (b)"]}]), "(b)"),
        (changed(questions=[{**SMALL["questions"][0], "cues": ["@nadie"]}]), "@nadie"),
    ],
)
def test_a_faulty_file_is_refused_with_the_place(data: object, said: str) -> None:
    with pytest.raises(QuestionnaireError) as refused:
        read_questionnaire(data)
    assert said in str(refused.value)


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    broken = tmp_path / "roto.json"
    broken.write_text("{", encoding="utf-8")
    for path in (broken, tmp_path / "no-existe.json"):
        with pytest.raises(QuestionnaireError, match=path.name):
            load_questionnaire(path)
