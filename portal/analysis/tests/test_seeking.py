from __future__ import annotations

import pytest

from portal.analysis.seeking import FreeQuestion
from portal.analysis.text import Sentence, words


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("¿Cómo se llama su hermana?", "name"),
        ("¿Qué edad tienen los niños?", "age"),
        ("edad de la madre", "age"),
        ("¿Cuánto paga de alquiler?", "money"),
        ("sueldo del marido", "money"),
        ("How much does she earn?", "money"),
        ("¿Cuántos hijos tiene?", "count"),
        ("¿Cuánto tiempo lleva en España?", "duration"),
        ("¿A qué hora es la cita?", "hour"),
        ("¿Cuándo llegó?", "time"),
        ("Quand est-elle arrivée ?", "time"),
        ("¿Dónde duerme?", "place"),
        ("Where do they sleep?", "place"),
        ("¿Por qué dejó el trabajo?", "reason"),
        ("¿Quién la ayuda?", "person"),
        ("¿Tiene ascensor?", "yes-no"),
        ("¿Qué le duele?", "other"),
        ("problemas de salud", "other"),
        ("", "other"),
    ],
)
def test_the_kind_of_answer_a_question_looks_for(question: str, kind: str) -> None:
    assert FreeQuestion(question).kind == kind


@pytest.mark.parametrize(
    ("question", "said", "how_far", "where"),
    [
        ("¿Qué edad tiene Salomé?", "Salomé tiene once años", 1.0, [2]),
        ("¿Cuánto paga?", "cuatrocientos con los servicios", 1.0, [0]),
        ("¿Cuánto paga?", "somos dos", 0.4, [1]),
        ("¿Cuándo vino?", "vine en marzo", 1.0, [2]),
        ("¿Dónde vive?", "vivo en Parla", 1.0, [2]),
        ("¿Cómo se llama?", "es mi prima Keyla", 1.0, [3]),
        ("¿Cómo se llama?", "No la conozco", 0.6, []),
        ("¿Por qué vino?", "porque allí no hay nada", 1.0, [0]),
        ("¿Cuándo vino?", "no me acuerdo", 0.0, []),
        ("¿Tiene ascensor?", "es un tercero", 0.0, []),
    ],
)
def test_where_a_stretch_has_that_kind_of_answer(
    question: str, said: str, how_far: float, where: list[int]
) -> None:
    parsed = words(said)
    assert FreeQuestion(question).signs(parsed, Sentence(0, len(parsed), False)) == (how_far, where)
