from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conftest import Cast
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import queries, review, services
from portal.assessments.models import Answer, Question, Sheet
from portal.assessments.questionnaires import seed_default_questionnaire
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Turn
from portal.participants.models import Participant

SLUGS = [
    "nacionalidad", "empadronamiento", "estudios_homologados", "ingresos", "electrodomesticos",
    "retrasos_pago", "empleo", "mayores_16",
    "cuidado_familiares", "clima_familiar", "lugar_vivir", "vivienda_adaptada",
    "habitos_salud", "estado_salud", "discriminacion", "redes_apoyo",
]  # fmt: skip
PADRON = Finding("empadronamiento", "answered", "Sí", (Evidence(1, "calle Olmo"),), 0.8)
DECLINED = Finding("ingresos", "declined", evidence=(Evidence(3, "prefiero no hablar"),))
ASKED = Finding("estado_salud", "asked", evidence=(Evidence(4, "¿Qué tal de salud?"),))


def record(conversation: Conversation, turns: list[Turn], *findings: Finding) -> Sheet:
    return services.record_findings(
        conversation=conversation, findings=findings, turns=turns, engine="extractive", model="1"
    )


def answer(sheet: Sheet, slug: str) -> Answer:
    return sheet.answers.get(question__slug=slug)


def test_a_new_ficha_has_the_sixteen_questions_in_order(sheet: Sheet) -> None:
    assert [q.id for q in services.questions_for(sheet)] == SLUGS
    assert (sheet.answered, sheet.total) == (0, 16)


def test_there_is_one_ficha_per_person(participant: Participant, sheet: Sheet) -> None:
    assert services.sheet_for(participant) == sheet
    assert sheet.answers.count() == 16


def test_seeding_again_mends_the_wording_and_makes_nothing_twice(db: None) -> None:
    Question.objects.filter(slug="ingresos").update(text="otra cosa")
    seed_default_questionnaire()
    assert Question.objects.count() == 16
    assert Question.objects.get(slug="ingresos").text.startswith("¿Tienen ingresos usted")


def test_an_answer_keeps_who_said_so_and_its_words(
    conversation: Conversation, turns: list[Turn]
) -> None:
    sheet = record(conversation, turns, PADRON)
    found = answer(sheet, "empadronamiento")
    assert (found.state, found.value, found.origin) == ("answered", "Sí", "machine")
    assert (found.engine, found.conversation, found.confidence) == ("extractive", conversation, 0.8)
    proof = found.evidence.get()
    # "calle Olmo," are the fourth and fifth words of a turn that starts at 10 s.
    assert (proof.turn, proof.quote, proof.start, proof.end) == (turns[1], "calle Olmo", 11.5, 12.5)
    assert sheet.answered == 1


def test_declined_and_asked_are_kept_but_do_not_count_as_answered(
    conversation: Conversation, turns: list[Turn]
) -> None:
    sheet = record(conversation, turns, DECLINED, ASKED)
    assert answer(sheet, "ingresos").state == "declined"
    assert answer(sheet, "estado_salud").state == "asked"
    assert sheet.answered == 0


@pytest.mark.parametrize(
    "evidence",
    [(), (Evidence(1, "calle Roble"),), (Evidence(9, "calle Olmo"),), (Evidence(-1, "¿Qué"),)],
    ids=["none", "not in the turn", "no such turn", "negative turn"],
)
def test_without_words_that_prove_it_the_answer_stays_blank(
    conversation: Conversation, turns: list[Turn], evidence: tuple[Evidence, ...]
) -> None:
    sheet = record(conversation, turns, Finding("empadronamiento", "answered", "Sí", evidence, 0.9))
    assert answer(sheet, "empadronamiento").state == "unasked"


def test_the_interviewers_words_alone_prove_no_answer(
    conversation: Conversation, turns: list[Turn]
) -> None:
    from_the_question = Finding("estado_salud", "answered", "Bien", (Evidence(4, "de salud"),))
    kept = answer(record(conversation, turns, from_the_question), "estado_salud")
    assert (kept.state, kept.value) == (Answer.State.ASKED, "")


def test_the_same_findings_again_change_nothing(
    conversation: Conversation, turns: list[Turn]
) -> None:
    sheet = record(conversation, turns, PADRON, DECLINED, ASKED)
    before = list(sheet.answers.values("state", "value", "updated_at"))
    proofs = [list(a.evidence.values_list("pk", flat=True)) for a in sheet.answers.all()]
    sheet = record(conversation, turns, PADRON, DECLINED, ASKED)
    assert list(sheet.answers.values("state", "value", "updated_at")) == before
    assert [list(a.evidence.values_list("pk", flat=True)) for a in sheet.answers.all()] == proofs


def test_an_asked_question_may_still_be_answered(
    conversation: Conversation, turns: list[Turn]
) -> None:
    record(conversation, turns, Finding("empadronamiento", "asked", "", (Evidence(0, "¿Está"),)))
    sheet = record(conversation, turns, PADRON)
    found = answer(sheet, "empadronamiento")
    assert found.state == "answered"
    assert [proof.quote for proof in found.evidence.all()] == ["calle Olmo"]


STATES = st.sampled_from(["unasked", "asked", "answered", "declined"])


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None
)
@given(st.lists(st.tuples(STATES, st.sampled_from(["machine", "edit", "accept", "reject"]))))
def test_whatever_comes_nothing_decided_is_undone(
    conversation: Conversation, turns: list[Turn], cast: Cast, history: list[tuple[str, str]]
) -> None:
    """Machines and people take turns on one question, in any order. Only a second look at the
    same conversation may put another answer in place of the first, and that until it is decided.
    """
    Sheet.objects.all().delete()
    sheet = services.sheet_for(conversation.participant)
    for state, does in history:
        before = answer(sheet, "empadronamiento")
        value = "Sí" if state == "answered" else ""
        match does:
            case "edit":
                services.edit_answer(answer=before, employee=cast.owner, value=value, state=state)
                assert answer(sheet, "empadronamiento").state == state
            case "accept" | "reject" if before.is_machines:
                decide = review.accept if does == "accept" else review.reject
                decide(answer=before, employee=cast.owner)
            case "machine":
                found = Finding("empadronamiento", state, value, (Evidence(1, "Olmo"),))  # type: ignore[arg-type]
                record(conversation, turns, found)
                after = answer(sheet, "empadronamiento")
                better = before.is_proposal and state in ("answered", "declined")
                settled = before.state in ("answered", "declined") and not better
                if before.is_reviewed or settled:
                    assert after.version == before.version
                if after.state == "answered" and after.origin == "machine":
                    assert after.evidence.exists()
        now = answer(sheet, "empadronamiento")
        last = now.changes.first()
        assert (last.state, last.value) == (now.state, now.value) if last else not now.is_reviewed
    sheet.refresh_from_db()
    assert sheet.answered == sheet.answers.filter(state="answered").count()
    decided = sheet.answers.filter(state__in=["answered", "declined"])
    assert sheet.reviewed == decided.exclude(reviewed_by=None).count()


def test_what_a_person_writes_keeps_what_was_heard(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    sheet = record(conversation, turns, PADRON)
    services.edit_answer(
        answer=answer(sheet, "empadronamiento"), employee=cast.teammate, value="  Sí, en Lugo "
    )
    edited = answer(sheet, "empadronamiento")
    assert (edited.value, edited.origin, edited.edited_by) == (
        "Sí, en Lugo",
        "person",
        cast.teammate,
    )
    assert edited.evidence.count() == 1


def test_of_two_who_save_at_once_the_second_is_told(sheet: Sheet, cast: Cast) -> None:
    first, second = answer(sheet, "nacionalidad"), answer(sheet, "nacionalidad")
    seen = first.version
    services.edit_answer(answer=first, employee=cast.owner, value="Marroquí", seen=seen)
    with pytest.raises(Refused) as refused:
        services.edit_answer(answer=second, employee=cast.teammate, value="Peruana", seen=seen)
    assert refused.value.status == 409
    assert "Ana Robles guardó: «Marroquí»" in refused.value.public_message
    assert answer(sheet, "nacionalidad").value == "Marroquí"
    # The same again, as after an answer that was lost, and one's own words.
    services.edit_answer(answer=second, employee=cast.teammate, value="Marroquí", seen=seen)
    services.edit_answer(answer=second, employee=cast.owner, value="Marroquí, creo", seen=seen)
    assert answer(sheet, "nacionalidad").value == "Marroquí, creo"


def test_emptying_an_answer_opens_the_question_but_not_to_machines(
    conversation: Conversation, turns: list[Turn], cast: Cast
) -> None:
    sheet = record(conversation, turns, PADRON)
    services.edit_answer(answer=answer(sheet, "empadronamiento"), employee=cast.owner, value="")
    record(conversation, turns, PADRON)
    assert answer(sheet, "empadronamiento").state == "unasked"
    assert queries.settled(sheet) == ("empadronamiento",)


@pytest.mark.parametrize("state", ["answered", "nonsense"])
def test_an_edit_that_makes_no_sense_is_refused(sheet: Sheet, cast: Cast, state: str) -> None:
    with pytest.raises(ValidationError):
        services.edit_answer(
            answer=answer(sheet, "ingresos"), employee=cast.owner, value=" ", state=state
        )
    assert answer(sheet, "ingresos").origin == ""


def test_an_edit_counts_as_interaction(sheet: Sheet, cast: Cast) -> None:
    before = sheet.participant.last_interaction_at
    services.edit_answer(answer=answer(sheet, "ingresos"), employee=cast.owner, value="No")
    sheet.participant.refresh_from_db()
    assert sheet.participant.last_interaction_at > before
