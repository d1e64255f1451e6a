"""What machines propose of questions with a kind, and what goes along to a newer version."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conftest import Cast
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import queries, review, services, suggestions, versions
from portal.assessments.blueprint import Blueprint, PlannedQuestion
from portal.assessments.models import Answer, Sheet, Suggestion
from portal.assessments.tests.conftest import later_interview
from portal.assessments.tests.plans import HELP, HOUSEHOLD, PLAN
from portal.assessments.typed import Value
from portal.conversations.models import Conversation, Turn

HTMX = {"HX-Request": "true"}
FLAT = Finding("vivienda", "answered", "Tengo un piso", (Evidence(1, "calle Olmo"),), 0.8)
STREET = Finding("vivienda", "answered", "Duermo en la calle", (Evidence(1, "en Lugo"),), 0.8)
TWO = Finding("personas", "answered", "Somos dos", (Evidence(1, "calle Olmo"),), 0.8)
THREE = Finding("personas", "answered", "Ahora somos tres", (Evidence(3, "600 euros"),), 0.8)


def publish(cast: Cast, plan: Blueprint = PLAN) -> None:
    draft = versions.start_draft(team=cast.team, employee=cast.coordinator, plan=plan)
    versions.publish(draft=draft)


def record(conversation: Conversation, *findings: Finding) -> Sheet:
    return services.record_findings(
        conversation=conversation,
        findings=findings,
        turns=list(Turn.objects.filter(transcript__conversation=conversation)),
        engine="local",
        model="1",
    )


def answer(slug: str) -> Answer:
    return Answer.objects.get(question__slug=slug)


def known(slug: str) -> tuple[str, object, bool]:
    found = answer(slug)
    return found.value, found.typed, found.is_reviewed


@pytest.fixture
def later(conversation: Conversation) -> Conversation:
    return later_interview(conversation)


def test_a_suggestion_keeps_its_value_when_it_is_taken(
    cast: Cast, conversation: Conversation, later: Conversation
) -> None:
    publish(cast)
    record(conversation, FLAT, TWO)
    assert (known("vivienda"), known("personas")) == (("Piso", "piso", False), ("2", 2, False))
    record(later, STREET, THREE)
    for suggestion in Suggestion.objects.all():
        review.take(suggestion=suggestion, employee=cast.owner)
    assert known("vivienda") == ("En la calle", "calle", True)
    assert known("personas") == ("3", 3, True)


def test_what_is_saved_as_it_was_proposed_is_accepted_whatever_its_kind(
    cast: Cast, conversation: Conversation
) -> None:
    publish(cast)
    record(conversation, FLAT)
    services.edit_answer(answer=answer("vivienda"), employee=cast.owner, value="piso")
    assert known("vivienda") == ("Piso", "piso", True)
    assert answer("vivienda").is_machines


@pytest.mark.parametrize(
    ("known", "said", "otherwise"),
    [
        (("Piso compartido", "compartido"), ("Piso", "piso"), True),
        (("3,5", 3.5), ("3", 3.0), True),
        (("3,5", 3.5), ("3,50", 3.5), False),
    ],
)
def test_values_are_compared_not_words(
    known: tuple[str, Value], said: tuple[str, Value], otherwise: bool
) -> None:
    kept = Answer(state="answered", value=known[0], typed=known[1])
    assert suggestions.says_otherwise(kept, "answered", *said) is otherwise


def test_fewer_choices_of_the_same_are_no_news() -> None:
    kept = Answer(state="answered", value="Bono de luz; Alimentos", typed=["luz", "comida"])
    assert not suggestions.says_otherwise(kept, "answered", "Alimentos", ["comida"])
    assert suggestions.says_otherwise(kept, "answered", "Ropa", ["ropa"])


def test_a_decision_that_changes_what_is_asked_shows_all_of_the_page(
    cast: Cast, conversation: Conversation, later: Conversation
) -> None:
    """Whoever takes "in the street" is not asked for the rent any more; who rejects it, is."""
    publish(cast)
    client = cast.client(cast.owner)
    sheet = record(conversation, FLAT)
    record(later, STREET)
    (waiting,) = Suggestion.objects.all()
    taken = client.post(f"/sugerencias/{waiting.pk}/", {"decision": "take"}, headers=HTMX)
    assert f"#r-{answer('personas').pk}" in taken["HX-Location"]
    sheet.refresh_from_db()
    assert (sheet.answered, sheet.reviewed, sheet.total) == (1, 1, 4)
    home = f"/respuestas/{answer('vivienda').pk}/decision/"
    rejected = client.post(home, {"decision": "reject"}, headers=HTMX)
    assert f"#r-{answer('vivienda').pk}" in rejected["HX-Location"]


def test_what_is_not_asked_counts_as_neither_answered_nor_reviewed(
    cast: Cast, conversation: Conversation
) -> None:
    publish(cast)
    sheet = record(conversation, FLAT)
    services.edit_answer(answer=answer("alquiler"), employee=cast.owner, value="300")
    sheet.refresh_from_db()
    assert (sheet.answered, sheet.reviewed) == (2, 1)
    services.edit_answer(answer=answer("vivienda"), employee=cast.owner, value="calle")
    sheet.refresh_from_db()
    assert (sheet.answered, sheet.reviewed) == (1, 1)


# To a newer version

WORDS = Blueprint(
    "hogar",
    "Antes",
    "es",
    (
        replace(
            HELP,
            slug="hogar",
            questions=(
                PlannedQuestion("vivienda", "¿Dónde vive?"),
                PlannedQuestion("personas", "¿Con quién?"),
                PlannedQuestion("antes", "¿Y antes?"),
            ),
        ),
    ),
)
BEFORE = replace(FLAT, question_id="antes", answer="En Olmo")


def moved(cast: Cast, sheet: Sheet) -> Sheet:
    publish(cast, replace(PLAN, domains=(HOUSEHOLD, HELP)))
    return versions.move_sheet(sheet=sheet)


def test_what_is_suggested_and_its_history_go_along(
    cast: Cast, conversation: Conversation, later: Conversation
) -> None:
    publish(cast, WORDS)
    record(conversation, FLAT, TWO)
    review.accept(answer=answer("vivienda"), employee=cast.owner)
    sheet = record(later, STREET, THREE)
    moved(cast, sheet)
    # A person accepted those words; of the other nobody had decided.
    assert known("vivienda") == ("Tengo un piso", None, True)
    assert known("personas") == ("2", 2, False)
    told = [(c.action, c.value) for c in answer("personas").changes.order_by("pk")]
    assert told == [("proposed", "Somos dos"), ("proposed", "2")]
    assert answer("vivienda").changes.count() == 2
    assert answer("vivienda").evidence.count() == 1
    waiting = {s.answer.question.slug: (s.value, s.typed) for s in Suggestion.objects.all()}
    assert waiting == {"vivienda": ("En la calle", "calle"), "personas": ("3", 3)}
    for suggestion in Suggestion.objects.all():
        review.take(suggestion=suggestion, employee=cast.owner)
    assert known("vivienda") == ("En la calle", "calle", True)
    sheet.refresh_from_db()
    assert (sheet.answered, sheet.reviewed) == (2, 2)


def test_what_only_the_earlier_version_asked_is_decided_in_its_group(
    cast: Cast, conversation: Conversation
) -> None:
    publish(cast, WORDS)
    sheet = moved(cast, record(conversation, BEFORE, TWO))
    # Both domains are called the same; only what stands under the heading is accepted.
    assert review.accept_domain(sheet=sheet, domain="hogar", employee=cast.owner) == 1
    assert known("antes") == ("En Olmo", None, False)
    client = cast.client(cast.owner)
    address = f"/personas/{sheet.participant_id}/ficha/{queries.OF_BEFORE}/aceptar/"
    seen = f"{answer('antes').pk}@{answer('antes').version}"
    html = client.post(address, {"seen": seen}, headers=HTMX).content.decode()
    assert "De la versión anterior" in html
    assert answer("antes").is_reviewed
    one = f"/respuestas/{answer('antes').pk}/decision/"
    html = client.post(one, {"decision": "reject"}, headers=HTMX).content.decode()
    assert f'id="dc-{queries.OF_BEFORE}"' in html


def test_a_rejected_answer_of_before_keeps_its_history(
    cast: Cast, conversation: Conversation
) -> None:
    publish(cast, WORDS)
    sheet = record(conversation, BEFORE)
    review.reject(answer=answer("antes"), employee=cast.owner)
    moved(cast, sheet)
    assert [c.action for c in answer("antes").changes.order_by("pk")] == ["proposed", "rejected"]


def test_a_decision_of_what_is_not_asked_any_more_shows_what_is(
    cast: Cast, conversation: Conversation
) -> None:
    publish(cast)
    rent = Finding("alquiler", "answered", "300 euros", (Evidence(1, "calle Olmo"),))
    record(conversation, rent)
    services.edit_answer(answer=answer("vivienda"), employee=cast.owner, value="calle")
    one = f"/respuestas/{answer('alquiler').pk}/decision/"
    response = cast.client(cast.owner).post(one, {"decision": "accept", "seen": "x"}, headers=HTMX)
    assert "HX-Location" in response
