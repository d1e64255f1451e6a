"""What people decide of what machines propose, and the history that is left of it."""

from __future__ import annotations

from datetime import timedelta
from importlib import import_module

import pytest
from django.apps import apps

from conftest import Cast
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import proofs, quotes, review, services, suggestions
from portal.assessments.models import Answer, AnswerChange, Sheet, Suggestion
from portal.assessments.tests.conftest import later_interview
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Turn

PADRON = Finding("empadronamiento", "answered", "Sí, en Olmo", (Evidence(1, "calle Olmo"),), 0.8)
MOVED = Finding("empadronamiento", "answered", "No, en Lugo", (Evidence(1, "en Lugo"),), 0.7)
DECLINED = Finding("ingresos", "declined", evidence=(Evidence(3, "prefiero no hablar"),))
MONEY = Finding("ingresos", "answered", "600 euros", (Evidence(3, "unos 600 euros"),))


def record(conversation: Conversation, *findings: Finding) -> Sheet:
    return services.record_findings(
        conversation=conversation,
        findings=findings,
        turns=list(Turn.objects.filter(transcript__conversation=conversation)),
        engine="extractive",
        model="1",
    )


def answer(slug: str = "empadronamiento") -> Answer:
    return Answer.objects.get(question__slug=slug)


def history(slug: str = "empadronamiento") -> list[tuple[str, str]]:
    changes = AnswerChange.objects.filter(answer__question__slug=slug).order_by("pk")
    return [(change.action, change.value or change.state) for change in changes]


def waiting() -> list[Suggestion]:
    return list(Suggestion.objects.filter(taken=None))


@pytest.fixture
def later(conversation: Conversation) -> Conversation:
    return later_interview(conversation)


# Deciding


def test_what_is_accepted_is_reviewed_and_stays_the_machines(
    conversation: Conversation, cast: Cast
) -> None:
    sheet = record(conversation, PADRON, DECLINED)
    assert (sheet.answered, sheet.reviewed) == (1, 0)
    review.accept(answer=answer(), employee=cast.teammate, seen=answer().version)
    review.accept(answer=answer("ingresos"), employee=cast.owner)
    accepted = answer()
    assert (accepted.origin, accepted.value, accepted.reviewed_by) == (
        "machine", "Sí, en Olmo", cast.teammate,
    )  # fmt: skip
    sheet.refresh_from_db()
    assert (sheet.answered, sheet.reviewed) == (1, 2)
    assert history() == [("proposed", "Sí, en Olmo"), ("accepted", "Sí, en Olmo")]
    review.accept(answer=answer(), employee=cast.owner)
    assert (len(history()), answer().reviewed_by) == (2, cast.teammate)


def test_only_what_was_seen_is_accepted(conversation: Conversation, cast: Cast) -> None:
    record(conversation, PADRON)
    seen = answer().version
    record(conversation, Finding("empadronamiento", "answered", "En Olmo", (Evidence(1, "Olmo"),)))
    with pytest.raises(Refused, match="changed"):
        review.accept(answer=answer(), employee=cast.owner, seen=seen)
    assert not answer().is_reviewed


@pytest.mark.parametrize("decide", [review.accept, review.reject])
def test_where_nothing_is_proposed_nothing_is_decided(
    sheet: Sheet, cast: Cast, decide: object
) -> None:
    with pytest.raises(Refused, match="nothing"):
        decide(answer=answer(), employee=cast.owner)  # type: ignore[operator]
    services.edit_answer(answer=answer(), employee=cast.owner, value="Sí")
    with pytest.raises(Refused, match="nothing"):
        decide(answer=answer(), employee=cast.owner)  # type: ignore[operator]


def test_what_is_rejected_is_open_and_not_proposed_again(
    conversation: Conversation, later: Conversation, cast: Cast
) -> None:
    sheet = record(conversation, PADRON)
    review.reject(answer=answer(), employee=cast.owner)
    again = Finding("empadronamiento", "answered", "En Olmo", (Evidence(1, "calle Olmo"),))
    record(conversation, PADRON, again)
    assert (answer().state, answer().origin, answer().evidence.count()) == ("unasked", "", 0)
    assert history() == [("proposed", "Sí, en Olmo"), ("rejected", "unasked")]
    sheet.refresh_from_db()
    assert sheet.answered == 0
    other = Finding("empadronamiento", "answered", "Desde marzo", (Evidence(1, "desde marzo"),))
    record(conversation, other)
    assert answer().value == "Desde marzo"
    review.reject(answer=answer(), employee=cast.owner)
    record(later, MOVED)
    assert answer().value == "No, en Lugo"


def test_a_domain_is_accepted_as_far_as_it_was_seen(conversation: Conversation, cast: Cast) -> None:
    residence = Finding("nacionalidad", "answered", "No", (Evidence(1, "Sí, en la calle"),))
    sheet = record(conversation, PADRON, residence, DECLINED)
    seen = {answer().pk: answer().version, answer("nacionalidad").pk: "another"}
    accept = {"sheet": sheet, "domain": "personal", "employee": cast.owner}
    assert review.accept_domain(**accept, seen=seen) == 1  # type: ignore[arg-type]
    assert answer().is_reviewed
    assert not answer("nacionalidad").is_reviewed
    assert review.accept_domain(**accept) == 1  # type: ignore[arg-type]
    assert answer("nacionalidad").is_reviewed
    assert not answer("ingresos").is_reviewed
    sheet.refresh_from_db()
    assert sheet.reviewed == 2


def test_saving_a_proposal_as_it_is_accepts_it(conversation: Conversation, cast: Cast) -> None:
    record(conversation, PADRON)
    services.edit_answer(answer=answer(), employee=cast.owner, value=" Sí, en Olmo ")
    assert (answer().origin, answer().reviewed_by) == ("machine", cast.owner)
    services.edit_answer(answer=answer(), employee=cast.owner, value="Sí, en Olmo")
    assert history() == [("proposed", "Sí, en Olmo"), ("accepted", "Sí, en Olmo")]


def test_what_a_person_corrected_does_not_come_back_as_a_suggestion(
    conversation: Conversation, cast: Cast
) -> None:
    record(conversation, PADRON)
    services.edit_answer(answer=answer(), employee=cast.owner, value="Sí, en la calle Roble")
    record(conversation, PADRON)
    assert answer().value == "Sí, en la calle Roble"
    assert waiting() == []


def test_an_accepted_answer_outlives_its_proof(conversation: Conversation, cast: Cast) -> None:
    record(conversation, PADRON, DECLINED)
    review.accept(answer=answer(), employee=cast.owner)
    conversation.transcript.turns.all().delete()
    proofs.prove_again(conversation=conversation)
    assert answer().value == "Sí, en Olmo"
    assert answer("ingresos").state == "unasked"
    assert history("ingresos") == [("proposed", "declined"), ("taken_back", "unasked")]


# What a later interview says otherwise


@pytest.mark.parametrize("decided", ["accepted", "written", "proposed"])
def test_a_later_interview_suggests_and_changes_nothing(
    conversation: Conversation, later: Conversation, cast: Cast, decided: str
) -> None:
    record(conversation, PADRON)
    if decided == "accepted":
        review.accept(answer=answer(), employee=cast.owner)
    elif decided == "written":
        services.edit_answer(answer=answer(), employee=cast.owner, value="Sí, en la calle Roble")
    known = (answer().value, answer().origin, answer().version)
    record(later, MOVED)
    record(later, MOVED)
    assert (answer().value, answer().origin, answer().version) == known
    [found] = waiting()
    assert (found.value, found.conversation, found.evidence[0]["quote"]) == (
        "No, en Lugo", later, "en Lugo",
    )  # fmt: skip
    assert answer().evidence.get().quote == "calle Olmo"


def test_a_suggestion_taken_keeps_what_was_before_in_the_history(
    conversation: Conversation, later: Conversation, cast: Cast
) -> None:
    sheet = record(conversation, PADRON)
    record(later, MOVED)
    review.take(suggestion=waiting()[0], employee=cast.teammate)
    taken = answer()
    assert (taken.value, taken.conversation, taken.reviewed_by) == (
        "No, en Lugo", later, cast.teammate,
    )  # fmt: skip
    assert [(p.quote, p.turn.transcript.conversation) for p in taken.evidence.all()] == [
        ("en Lugo", later)
    ]
    assert history() == [("proposed", "Sí, en Olmo"), ("suggestion", "No, en Lugo")]
    assert [p["quote"] for p in taken.changes.last().evidence] == ["calle Olmo"]
    sheet.refresh_from_db()
    assert sheet.reviewed == 1
    # The interview of before, looked at again, knows nothing newer.
    record(conversation, PADRON)
    assert waiting() == []


def test_a_suggestion_left_is_not_made_again(
    conversation: Conversation, later: Conversation, cast: Cast
) -> None:
    record(conversation, PADRON)
    record(later, MOVED)
    [suggestion] = waiting()
    review.leave(suggestion=suggestion, employee=cast.owner)
    record(later, MOVED)
    assert (waiting(), answer().value) == ([], "Sí, en Olmo")
    for decide in (review.take, review.leave):
        with pytest.raises(Refused, match="decided"):
            decide(suggestion=suggestion, employee=cast.owner)


def test_writing_what_is_suggested_settles_it(
    conversation: Conversation, later: Conversation, cast: Cast
) -> None:
    record(conversation, PADRON)
    record(later, MOVED)
    services.edit_answer(answer=answer(), employee=cast.owner, value="No, vive en Lugo")
    assert waiting() == []
    assert Suggestion.objects.get(conversation=later).taken is True


def test_what_is_suggested_goes_where_its_words_go(
    conversation: Conversation, later: Conversation
) -> None:
    record(conversation, PADRON, DECLINED)
    record(later, MOVED, MONEY)
    turn = later.transcript.turns.get(position=1)
    turn.text = "No: ahora en Lugo."
    turn.words = []
    proofs.rewrite_turns(transcript=later.transcript, written=[turn], made={}, removed=[])
    assert {s.evidence[0]["quote"] for s in waiting()} == {"en Lugo", "unos 600 euros"}
    turn.text = "Sí, lo mismo."
    proofs.rewrite_turns(transcript=later.transcript, written=[turn], made={}, removed=[])
    assert [s.value for s in waiting()] == ["600 euros"]


@pytest.mark.parametrize(
    ("known", "state", "value", "otherwise"),
    [
        ("Sí, en Olmo", "answered", "sí", False),
        ("Sí, en Olmo", "answered", "No", True),
        ("No, pero sí tiene pasaporte", "answered", "Sí", True),
        ("Sí", "answered", "Sí, en Olmo", True),
        ("Dos hijas", "answered", "DOS HIJAS.", False),
        ("Dos hijas", "declined", "", False),
        ("", "answered", "Dos hijas", True),
        ("", "declined", "", False),
    ],
)
def test_what_is_otherwise(known: str, state: str, value: str, otherwise: bool) -> None:
    kept = Answer(state="answered" if known else "declined", value=known)
    assert suggestions.says_otherwise(kept, state, value) is otherwise


def test_an_interview_before_the_answers_own_suggests_nothing(
    conversation: Conversation, later: Conversation
) -> None:
    record(later, MOVED)
    record(conversation, PADRON)
    assert (waiting(), answer().value) == ([], "No, en Lugo")
    Conversation.objects.filter(pk=conversation.pk).update(
        created_at=later.created_at + timedelta(days=1)
    )
    conversation.refresh_from_db()
    record(conversation, PADRON)
    assert [s.value for s in waiting()] == ["Sí, en Olmo"]


# Long answers


def test_a_long_answer_in_somebodys_own_words_is_shortened_for_the_field() -> None:
    said = " ".join(f"palabra{n}" for n in range(50))
    short = quotes.shortened(said, [f"Pues {said}, eso."])
    assert short == " ".join(f"palabra{n}" for n in range(30)) + " …"
    assert quotes.shortened(said, ["palabra0"]) == said
    assert quotes.shortened("Sí, en Olmo", ["Sí, en Olmo"]) == "Sí, en Olmo"


# From before there were reviews


def test_answers_of_before_are_reviewed_by_who_wrote_them_and_have_a_history(
    conversation: Conversation, cast: Cast
) -> None:
    sheet = record(conversation, PADRON)
    services.mark_asked(conversation=conversation, question="empleo", employee=cast.teammate)
    services.edit_answer(answer=answer("ingresos"), employee=cast.owner, value="Nada")
    AnswerChange.objects.all().delete()
    Answer.objects.update(reviewed_by=None, reviewed_at=None)
    Sheet.objects.update(reviewed=0)
    import_module("portal.assessments.migrations.0003_history_begins").begin(apps, None)
    assert history() == [("proposed", "Sí, en Olmo")]
    assert answer().changes.get().evidence[0]["quote"] == "calle Olmo"
    assert history("empleo") == [("asked", "asked")]
    assert history("ingresos") == [("edited", "Nada")]
    written = answer("ingresos")
    assert (written.reviewed_by, written.changes.get().made_at) == (cast.owner, written.updated_at)
    assert AnswerChange.objects.count() == 3
    sheet.refresh_from_db()
    assert sheet.reviewed == 1
