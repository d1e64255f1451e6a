from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import pytest
from django.apps import apps
from django.core.exceptions import ValidationError

from conftest import Cast
from portal.accounts.models import Employee
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import blueprint, queries, records, services, versions
from portal.assessments.blueprint import PlannedQuestion
from portal.assessments.models import Answer, Question, Questionnaire, Sheet
from portal.assessments.questionnaires import seed_default_questionnaire
from portal.assessments.tests.plans import HELP, HOUSEHOLD, PLAN
from portal.conversations.models import Conversation, Turn
from portal.participants.models import Participant


def published(cast: Cast, plan: blueprint.Blueprint = PLAN) -> Questionnaire:
    draft = versions.start_draft(team=cast.team, employee=cast.coordinator, plan=plan)
    return versions.publish(draft=draft)


def slugs(sheet: Sheet) -> list[str]:
    return [answer.question.slug for answer in sheet.answers.select_related("question")]


def answer(sheet: Sheet, slug: str) -> Answer:
    return sheet.answers.get(question__slug=slug)


def write(sheet: Sheet, employee: Employee, **values: str) -> None:
    for slug, value in values.items():
        services.edit_answer(answer=answer(sheet, slug), employee=employee, value=value)
    sheet.refresh_from_db()


def test_the_default_is_published_version_one(cast: Cast) -> None:
    found = queries.in_use(cast.team.pk)
    assert (found.team, found.version) == (None, 1)
    assert found.published_at is not None


def test_what_was_in_use_before_versions_stays_in_use(cast: Cast) -> None:
    """As a database is after 0003, when nothing was published yet."""
    own = Questionnaire.objects.create(team=cast.team, slug="propio", name="Propio")
    Questionnaire.objects.update(published_at=None)
    import_module("portal.assessments.migrations.0004_publish_what_is_in_use").publish(apps, None)
    seed_default_questionnaire()
    assert queries.in_use(cast.team.pk) == own
    default = queries.in_use(cast.other_team.pk)
    assert (default.team, default.version, default.domains.count()) == (None, 1, 7)
    assert Questionnaire.objects.count() == 2


def test_a_draft_begins_as_what_the_team_uses_and_no_ficha_takes_it(
    cast: Cast, participant: Participant
) -> None:
    default = queries.in_use(cast.team.pk)
    draft = versions.start_draft(team=cast.team, employee=cast.coordinator)
    assert blueprint.of(draft) == blueprint.of(default)
    assert versions.start_draft(team=cast.team, employee=cast.owner) == draft
    assert services.sheet_for(participant).questionnaire == default


def test_new_fichas_take_what_is_published_and_old_ones_keep_theirs(
    cast: Cast, participant: Participant
) -> None:
    old = services.sheet_for(participant)
    own = published(cast)
    other = Participant.objects.create(
        team=cast.team, name="Omar", email="omar@example.org", created_by=cast.owner
    )
    abroad = Participant.objects.create(
        team=cast.other_team, name="Rosa", email="rosa@example.org", created_by=cast.stranger
    )
    assert services.sheet_for(other).questionnaire == own
    assert services.sheet_for(participant).questionnaire == old.questionnaire != own
    assert services.sheet_for(abroad).questionnaire.team is None
    assert (queries.newer_for(old), queries.newer_for(services.sheet_for(other))) == (own, None)


def test_a_further_draft_is_the_next_version(cast: Cast) -> None:
    first = published(cast)
    second = published(cast)
    assert (first.version, second.version, second.slug) == (1, 2, "hogar")
    assert queries.in_use(cast.team.pk) == second
    assert blueprint.of(first) == blueprint.of(second) == PLAN


def test_an_import_takes_the_place_of_what_the_draft_had(cast: Cast) -> None:
    draft = versions.start_draft(team=cast.team, employee=cast.coordinator)
    again = versions.start_draft(team=cast.team, employee=cast.coordinator, plan=PLAN)
    assert again.pk == draft.pk
    assert [q.slug for q in queries.all_of(again)] == [q.slug for q in PLAN.questions]


def test_a_note_is_no_question(cast: Cast, participant: Participant) -> None:
    published(cast)
    sheet = services.sheet_for(participant)
    assert "bienvenida" not in slugs(sheet)
    assert "bienvenida" not in [q.id for q in services.questions_for(sheet)]


@pytest.mark.parametrize(
    ("question", "text"),
    [
        (PlannedQuestion("dos palabras", "¿?"), "dos palabras"),
        (PlannedQuestion("vivienda", "Otra vez"), "repetido"),
        (PlannedQuestion("q", ""), "Falta el texto"),
        (PlannedQuestion("q", "x" * 301), "300"),
        (PlannedQuestion("q", "¿?", kind="select_one"), "Faltan las opciones"),
        (PlannedQuestion("q", "¿?", choices=(("a", "A"),)), "llevan opciones"),
        (
            PlannedQuestion("q", "¿?", kind="select_one", choices=(("a", "A"), ("a", "B"))),
            "repetida",
        ),
        (PlannedQuestion("q", "¿?", kind="select_one", choices=(("a b", "A"),)), "espacios"),
        (PlannedQuestion("q", "¿?", kind="select_multiple", choices=(("a", "A; B"),)), "coma"),
        (PlannedQuestion("q", "¿?", relevant="${despues} = 1"), "despues"),
        (PlannedQuestion("q", "¿?", relevant="${bienvenida} = 1"), "bienvenida"),
        (PlannedQuestion("q", "¿?", relevant="${personas} ="), "incompleta"),
        (PlannedQuestion("q", "¿?", cues=("~~~",)), "~~~"),
    ],
)
def test_what_would_not_work_is_not_published(
    cast: Cast, question: PlannedQuestion, text: str
) -> None:
    plan = replace(
        PLAN, domains=(replace(HOUSEHOLD, questions=(*HOUSEHOLD.questions, question)), HELP)
    )
    found = blueprint.check(plan)
    assert any(text in str(problem) for problem in found), found


def test_a_draft_with_problems_is_not_published(cast: Cast) -> None:
    draft = versions.start_draft(team=cast.team, employee=cast.coordinator, plan=PLAN)
    Question.objects.filter(slug="vivienda").update(choices=[])
    with pytest.raises(ValidationError, match="Faltan las opciones"):
        versions.publish(draft=draft)
    draft.refresh_from_db()
    assert draft.published_at is None


def test_what_is_published_is_neither_published_again_nor_discarded(cast: Cast) -> None:
    own = published(cast)
    for change in (versions.publish, versions.discard):
        with pytest.raises(ValidationError, match="ya no existe"):
            change(draft=own)


def test_a_ficha_is_moved_with_its_answers_proofs_and_history(
    cast: Cast, conversation: Conversation, turns: list[Turn]
) -> None:
    sheet = services.record_findings(
        conversation=conversation,
        findings=[
            Finding("empadronamiento", "answered", "Sí", (Evidence(1, "calle Olmo"),)),
            Finding("estado_salud", "asked", "", (Evidence(4, "¿Qué tal de salud?"),)),
        ],
        turns=turns,
        engine="local",
        model="1",
    )
    write(sheet, cast.owner, ingresos="Ochocientos al mes")
    kept = answer(sheet, "ingresos").pk
    own = published(cast)
    versions.move_sheet(sheet=sheet)
    sheet = Sheet.objects.get(pk=sheet.pk)
    assert sheet.questionnaire == own
    assert answer(sheet, "ingresos").pk == kept
    assert answer(sheet, "ingresos").question.domain.questionnaire == own
    # Nobody answered it, and nobody asks it any more.
    assert "estado_salud" not in slugs(sheet)
    assert answer(sheet, "empadronamiento").evidence.get().quote == "calle Olmo"
    groups = queries.by_domain(sheet, cast.owner)
    assert [group.domain.name for group in groups] == ["Hogar", "Ayuda", "De la versión anterior"]
    assert [a.question.slug for a in groups[-1].answers] == ["empadronamiento"]
    assert "empadronamiento" not in [q.id for q in services.questions_for(sheet)]
    # Five of its six questions, since the condition of one does not hold, and one of before.
    assert (sheet.answered, sheet.total) == (2, 6)
    assert versions.move_sheet(sheet=sheet).questionnaire == own


def test_what_was_heard_is_read_anew_when_its_question_becomes_one_of_numbers(
    cast: Cast, conversation: Conversation, turns: list[Turn]
) -> None:
    text = (PlannedQuestion("mes", "¿Desde cuándo?"), PlannedQuestion("otra", "¿Otra?"))
    number = tuple(replace(question, kind="integer") for question in text)
    published(cast, replace(PLAN, domains=(replace(HELP, questions=text),)))
    said = Finding("mes", "answered", "Desde hace tres meses", (Evidence(1, "desde marzo"),))
    sheet = services.record_findings(
        conversation=conversation, findings=[said], turns=turns, engine="local", model="1"
    )
    write(sheet, cast.owner, otra="tres o cuatro")
    published(cast, replace(PLAN, domains=(replace(HELP, questions=number),)))
    versions.move_sheet(sheet=sheet)
    assert (answer(sheet, "mes").value, answer(sheet, "mes").typed) == ("3", 3)
    assert (answer(sheet, "otra").value, answer(sheet, "otra").typed) == ("tres o cuatro", None)


def test_only_what_is_relevant_counts(cast: Cast, participant: Participant) -> None:
    published(cast)
    sheet = services.sheet_for(participant)
    # "alquiler" holds while nobody has said "calle"; "ayudas" needs both of its questions.
    assert (sheet.answered, sheet.total) == (0, 5)
    write(sheet, cast.owner, vivienda="En la calle", alquiler="300,50")
    assert (sheet.answered, sheet.total) == (1, 4)
    write(sheet, cast.owner, vivienda="compartido", personas="tres")
    assert (sheet.answered, sheet.total) == (3, 6)
    shown = [a for group in queries.by_domain(sheet, cast.owner) for a in group.answers]
    assert [a.question.slug for a in shown][3] == "llegada"
    assert {a.question.slug: a.typed for a in shown if a.value} == {
        "vivienda": "compartido",
        "alquiler": 300.5,
        "personas": 3,
    }


def test_an_answer_that_is_not_of_its_kind_is_refused(cast: Cast, participant: Participant) -> None:
    published(cast)
    sheet = services.sheet_for(participant)
    for slug, value in (("personas", "muchas"), ("llegada", "31/02/2024"), ("vivienda", "Hotel")):
        with pytest.raises(ValidationError):
            services.edit_answer(answer=answer(sheet, slug), employee=cast.owner, value=value)
        assert answer(sheet, slug).state == "unasked"


def test_what_a_machine_heard_is_typed_where_it_is_sure(
    cast: Cast, conversation: Conversation, turns: list[Turn]
) -> None:
    published(cast)
    findings = [
        Finding("vivienda", "answered", "En la calle Olmo, un piso", (Evidence(1, "Olmo"),)),
        Finding("personas", "answered", "Somos tres en casa", (Evidence(1, "Sí"),)),
    ]
    for _again in range(2):
        sheet = services.record_findings(
            conversation=conversation, findings=findings, turns=turns, engine="local", model="1"
        )
        people, home = answer(sheet, "personas"), answer(sheet, "vivienda")
        assert (people.value, people.typed, people.state) == ("3", 3, "answered")
        # It could be either: a person sees the words and decides.
        assert (home.value, home.typed) == ("En la calle Olmo, un piso", None)
    records.take_back(people)
    assert answer(sheet, "personas").typed is None
