"""One behaviour of a conversation each, in the default questionnaire."""

from __future__ import annotations

import pytest

from portal.analysis.engines.base import Finding, Question, Turn
from portal.analysis.engines.extractive import ExtractiveEngine
from portal.analysis.questionnaire import default_questionnaire

SPEAKERS = {"E": "empleado", "U": "usuario", "O": "otro"}


@pytest.fixture(scope="module")
def engine() -> ExtractiveEngine:
    return ExtractiveEngine()


def read(engine: ExtractiveEngine, talk: str) -> dict[str, Finding]:
    turns = []
    for line in talk.strip().splitlines():
        speaker, _, text = line.strip().partition(": ")
        turns.append(Turn(SPEAKERS[speaker], text))
    findings = engine.assess(turns, default_questionnaire().questions)
    return {finding.question_id: finding for finding in findings}


def test_a_bare_yes_rests_on_the_question_too(engine: ExtractiveEngine) -> None:
    found = read(engine, "E: ¿Está usted empadronada en este piso?\nU: Sí.")["empadronamiento"]
    assert (found.state, found.answer) == ("answered", "Sí")
    assert [piece.turn for piece in found.evidence] == [0, 1]


def test_a_bare_yes_to_nothing_answers_nothing(engine: ExtractiveEngine) -> None:
    found = read(engine, "E: ¿Quiere un vaso de agua?\nU: Sí.")
    assert {finding.state for finding in found.values()} == {"unasked"}


def test_no_is_seen_in_the_answer(engine: ExtractiveEngine) -> None:
    found = read(engine, "E: ¿Fuma o bebe?\nU: Pues no, ni fumo ni bebo.")["habitos_salud"]
    assert found.answer.startswith("No")


def test_declining_is_not_answering(engine: ExtractiveEngine) -> None:
    for refusal in (
        "Prefiero no contestar.",
        "De eso no quiero hablar, perdone.",
        "eso me lo guardo",
    ):
        found = read(engine, f"E: ¿Cómo se llevan en casa?\nU: {refusal}")["clima_familiar"]
        assert (found.state, found.answer) == ("declined", "")


def test_put_off_by_the_interviewer_is_asked(engine: ExtractiveEngine) -> None:
    talk = "E: Lo de homologar los estudios lo vemos otro día.\nU: Vale, gracias."
    assert read(engine, talk)["estudios_homologados"].state == "asked"


def test_interrupted_is_asked(engine: ExtractiveEngine) -> None:
    talk = "E: ¿Fuma usted?\nU: Perdone, un momento.\nE: ¿Quiere que paremos?\nU: Sí, por favor."
    assert read(engine, talk)["habitos_salud"].state == "asked"


def test_a_question_back_is_no_answer_and_the_next_turn_may_be(engine: ExtractiveEngine) -> None:
    talk = "E: ¿Está usted empadronado?\nU: ¿Cómo dice?\nE: En el ayuntamiento.\nU: Ah, sí, sí."
    assert read(engine, talk)["empadronamiento"].state == "answered"


def test_what_is_said_unasked_counts(engine: ExtractiveEngine) -> None:
    talk = "E: ¿Qué le trae por aquí?\nU: Debo dos meses de alquiler y no sé qué hacer."
    found = read(engine, talk)["retrasos_pago"]
    assert found.state == "answered"
    assert [piece.turn for piece in found.evidence] == [1]
    assert "dos meses" in found.answer


def test_the_corrected_number_holds(engine: ExtractiveEngine) -> None:
    talk = "E: ¿Cuántas personas mayores de 16 años viven en casa?\nU: Somos tres... no, cuatro."
    found = read(engine, talk)["mayores_16"]
    assert found.answer.startswith("4")


def test_things_are_told_as_they_were_said(engine: ExtractiveEngine) -> None:
    talk = "E: ¿Qué electrodomésticos tiene?\nU: Pues nevera y lavadora, pero el horno no funciona."
    answer = read(engine, talk)["electrodomesticos"].answer
    assert answer == "Nevera y lavadora, pero el horno no funciona"


def test_another_persons_case_is_not_the_participants(engine: ExtractiveEngine) -> None:
    talk = "E: ¿Algo más?\nU: Mi hermana está empadronada en Toledo."
    assert read(engine, talk)["empadronamiento"].state == "unasked"


def test_another_time_and_place_is_not_now(engine: ExtractiveEngine) -> None:
    talk = "E: ¿Algo más?\nU: Allá en mi país cobraba una buena pensión."
    assert read(engine, talk)["ingresos"].state == "unasked"


def test_offering_something_is_not_asking(engine: ExtractiveEngine) -> None:
    talk = "E: Le voy a dar el papel para empadronarse.\nU: Muchas gracias."
    assert read(engine, talk)["empadronamiento"].state in ("unasked", "asked")


def test_raw_recognition_without_marks(engine: ExtractiveEngine) -> None:
    talk = "E: y estas empadronado en algun sitio\nU: si en casa de un primo"
    found = read(engine, talk)["empadronamiento"]
    assert found.state == "answered"
    assert found.answer.lower().startswith("si")


def test_an_interpreter_asks_and_answers_in_between(engine: ExtractiveEngine) -> None:
    talk = """E: ¿Está empadronada?
        O: هل أنت مسجلة في البلدية؟
        U: نعم عند أختي منذ سنتين
        O: Dice que sí, en casa de su hermana."""
    found = read(engine, talk)["empadronamiento"]
    assert found.state == "answered"
    assert 3 in [piece.turn for piece in found.evidence]


def test_what_was_said_when_asked_holds_over_what_was_said_in_passing(
    engine: ExtractiveEngine,
) -> None:
    talk = """E: ¿Qué tal?
        U: Vivo con mi madre y mi hermano.
        E: ¿Cuántas personas mayores de dieciséis años hay en casa?
        U: Tres adultos."""
    found = read(engine, talk)["mayores_16"]
    assert found.answer.startswith("Tres")
    assert {piece.turn for piece in found.evidence} >= {3}


def test_a_question_without_cues_or_examples(engine: ExtractiveEngine) -> None:
    pets = Question("mascotas", "casa", "¿Tiene usted animales de compañía en su casa?")
    turns = [
        Turn("empleado", "¿Tiene animales de compañía en casa?"),
        Turn("usuario", "Sí, un perro pequeño."),
    ]
    (found,) = engine.assess(turns, [pets])
    assert (found.state, found.answer) == ("answered", "Sí, un perro pequeño")


def test_a_question_of_ones_own_learns_from_its_examples(engine: ExtractiveEngine) -> None:
    """Beside the default form's, without any training."""
    driving = Question(
        "carne",
        "laboral",
        "¿Tiene usted carné de conducir?",
        ("carne ~ conducir|coche|moto", "¿conduce*|conduces?"),
        (
            "¿Conduce usted?",
            "¿Se sacó el carné del coche?",
            "¿Y de carné de conducir, cómo anda?",
            "¿Puede llevar una furgoneta?",
            "¿Le han convalidado el permiso de conducir?",
            "Tengo el carné B desde hace años.",
            "No conduzco, nunca me lo saqué.",
            "El carné es de mi país y aquí no me vale.",
            "Suspendí el teórico de la autoescuela.",
            "Me retiraron los puntos del permiso.",
        ),
    )
    form = (*default_questionnaire().questions, driving)
    asked = [Turn("empleado", "¿Y usted conduce, tiene el carné?"), Turn("usuario", "El B, sí.")]
    told = [Turn("empleado", "¿Algo más?"), Turn("usuario", "Tengo el carné B desde hace poco.")]
    other = [Turn("empleado", "¿Está empadronado?"), Turn("usuario", "Sí, con mi hermano.")]
    assert [engine.assess(talk, form)[-1].state for talk in (asked, told, other)] == [
        "answered",
        "answered",
        "unasked",
    ]


def test_a_long_interview_is_read_in_reasonable_work(engine: ExtractiveEngine) -> None:
    """Three hours of talk: only a bounded number of sentences is ever encoded."""

    class Counting:
        name = "counting"

        def __init__(self) -> None:
            self.encoded: set[str] = set()

        def encode(self, texts: list[str], *, told: bool = False) -> object:
            import numpy as np

            self.encoded.update(texts)  # as the real one, which remembers
            return np.ones((len(texts), 384), dtype=np.float32)

    encoder = Counting()
    long = ExtractiveEngine(encoder)  # type: ignore[arg-type]
    questions = default_questionnaire().questions
    long.assess([], questions)
    learned = len(encoder.encoded)
    turns = [
        Turn("empleado" if i % 2 == 0 else "usuario", f"¿Y qué pasó el día {i}? Pues eso fue así.")
        for i in range(2_000)
    ]
    long.assess(turns, questions)
    long.ask(turns, "¿Qué pasó el día 40?")
    assert len(encoder.encoded) - learned <= 700
