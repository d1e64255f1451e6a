"""What becomes of a ficha when words are taken out of a transcript, and when they come back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from portal.assessments import proofs, quotes
from portal.assessments.models import Answer, AnswerChange, Evidence, Sheet, Suggestion
from portal.assessments.records import count, locked_sheet, take_back
from portal.conversations.models import Conversation, Turn

FIELDS = (
    *("state", "value", "typed", "origin", "engine", "model", "confidence", "edited_by_id"),
    *("reviewed_by_id", "reviewed_at"),
)
SUGGESTED = (
    *("answer_id", "state", "value", "typed", "evidence", "engine", "model", "confidence"),
    *("made_at", "taken", "decided_by_id", "decided_at"),
)


@dataclass(frozen=True, slots=True)
class Affected:
    """Answers that rest on words or hold them: by whom they are."""

    machine: tuple[Answer, ...]
    people: tuple[Answer, ...]


def affected(
    conversation: Conversation, *, gone: Callable[[Evidence], bool], tells: Callable[[str], bool]
) -> Affected:
    """What `forget` would take away, and what people wrote that it would leave."""
    proofs = Evidence.objects.filter(turn__transcript__conversation=conversation)
    losing = {piece.answer_id for piece in proofs if gone(piece)}
    answers = Answer.objects.filter(sheet__participant=conversation.participant_id)
    machine, people = [], []
    for answer in answers.select_related("question"):
        if answer.origin == Answer.Origin.PERSON:
            if tells(answer.value):
                people.append(answer)
        elif answer.conversation == conversation and (answer.pk in losing or tells(answer.value)):
            machine.append(answer)
    return Affected(tuple(machine), tuple(people))


@transaction.atomic
def forget(
    *,
    conversation: Conversation,
    gone: Callable[[Evidence], bool],
    tells: Callable[[str], bool],
    also: Collection[int] = (),
) -> list[dict[str, Any]]:
    """Take out of the ficha and its history what rests on words that were taken out of a
    conversation.

    ``gone``: which of its evidence stood on them; ``tells``: whether a text holds them. A person's
    answer that holds them stays, unless its id is in ``also``. Gives what `remember` needs.
    """
    sheet = locked_sheet(conversation)
    if sheet is None:
        return []
    before = _as_they_are(sheet, conversation)
    told_before = set(_changes(sheet).values_list("pk", flat=True))
    records = [
        *_forget_suggestions(sheet, conversation, gone, tells),
        *_forget_history(sheet, conversation, gone, tells, also),
    ]
    proofs_gone = Evidence.objects.filter(turn__transcript__conversation=conversation)
    Evidence.objects.filter(pk__in=[piece.pk for piece in proofs_gone if gone(piece)]).delete()
    for answer in sheet.answers.all():
        machine = answer.origin == Answer.Origin.MACHINE and answer.conversation == conversation
        if (machine or answer.pk in also) and tells(answer.value):
            take_back(answer)
    proofs.prove_again(conversation=conversation, accepted_too=True)
    since = _changes(sheet).exclude(pk__in=told_before)
    answers = [
        {
            "answer": pk,
            "was": before[pk],
            "left": left["fields"],
            "noted": list(since.filter(answer=pk).values_list("pk", flat=True)),
        }
        for pk, left in _as_they_are(sheet, conversation).items()
        if left != before[pk]
    ]
    return [*answers, *records]


@transaction.atomic
def remember(*, conversation: Conversation, forgotten: Sequence[dict[str, Any]]) -> None:
    """Put back what `forget` took, once the words are in the transcript again. An answer that has
    changed since stays as it is."""
    sheet = locked_sheet(conversation)
    if sheet is None:
        return
    turns = list(Turn.objects.filter(transcript__conversation=conversation))
    for item in forgotten:
        match item:
            case {"answer": pk}:
                _remember_answer(sheet.answers.filter(pk=pk).first(), item, conversation, turns)
            case {"suggestion": fields}:
                _remember_suggestion(fields, sheet, conversation, turns)
            case {"change": pk, "was": was, "left": left}:
                _changes(sheet).filter(pk=pk, **left).update(**was)
    count(sheet)


def _remember_answer(
    answer: Answer | None,
    item: dict[str, Any],
    conversation: Conversation,
    turns: Sequence[Turn],
) -> None:
    if answer is None:
        return
    fields = _fields(answer)
    # What an earlier version of the portal forgot may not name every field.
    if fields | item["left"] != fields:
        return
    for name, value in item["was"]["fields"].items():
        setattr(answer, name, value)
    answer.save()
    answer.evidence.filter(turn__transcript__conversation=conversation).delete()
    for piece in item["was"]["evidence"]:
        place = quotes.find_again(piece["quote"], piece["start"], piece["end"], turns)
        if place is not None:
            found = {"turn": turns[place.turn], "quote": place.quote}
            Evidence.objects.create(answer=answer, **{**piece, **found})
    answer.changes.filter(pk__in=item.get("noted", ())).delete()


def _remember_suggestion(
    fields: dict[str, Any], sheet: Sheet, conversation: Conversation, turns: Sequence[Turn]
) -> None:
    """One that waits does so beside no other of its conversation."""
    of_it = Suggestion.objects.filter(
        answer__sheet=sheet, answer=fields["answer_id"], conversation=conversation
    )
    if fields["taken"] is None and of_it.filter(taken=None).exists():
        return
    evidence = []
    for piece in fields["evidence"]:
        place = quotes.find_again(piece["quote"], piece["start"], piece["end"], turns)
        if place is not None:
            found = {"turn": turns[place.turn].pk, "quote": place.quote}
            evidence.append({**piece, **found})
    made = Suggestion.objects.create(conversation=conversation, **{**fields, "evidence": evidence})
    Suggestion.objects.filter(pk=made.pk).update(made_at=fields["made_at"])


def _forget_suggestions(
    sheet: Sheet,
    conversation: Conversation,
    gone: Callable[[Evidence], bool],
    tells: Callable[[str], bool],
) -> list[dict[str, Any]]:
    turns = list(Turn.objects.filter(transcript__conversation=conversation))
    taken = [
        suggestion
        for suggestion in Suggestion.objects.filter(answer__sheet=sheet, conversation=conversation)
        if tells(suggestion.value)
        or any(_is_gone(piece, turns, gone, tells) for piece in suggestion.evidence)
    ]
    Suggestion.objects.filter(pk__in=[suggestion.pk for suggestion in taken]).delete()
    return [
        {"suggestion": {name: _plain(getattr(suggestion, name)) for name in SUGGESTED}}
        for suggestion in taken
    ]


def _forget_history(
    sheet: Sheet,
    conversation: Conversation,
    gone: Callable[[Evidence], bool],
    tells: Callable[[str], bool],
    also: Collection[int],
) -> list[dict[str, Any]]:
    """What was answered before, without the words that rested on it. What people wrote goes with
    it, but for an answer of theirs that stays."""
    turns = list(Turn.objects.filter(transcript__conversation=conversation))
    stays = {
        answer.pk
        for answer in sheet.answers.filter(origin=Answer.Origin.PERSON).exclude(pk__in=also)
        if tells(answer.value)
    }
    changes = list(_changes(sheet))
    left: dict[int, dict[str, Any]] = {}
    unproven = set[tuple[int, str]]()
    for change in changes:
        written = change.action == AnswerChange.Action.EDITED
        if change.conversation_id != conversation.pk and not written:
            continue
        evidence = [p for p in change.evidence if not _is_gone(p, turns, gone, tells)]
        if evidence != change.evidence:
            unproven.add((change.answer_id, change.value))
        if evidence != change.evidence or (
            tells(change.value) and not (written and change.answer_id in stays)
        ):
            left[change.pk] = {"value": "", "evidence": evidence}
    for change in changes:
        # Accepting says the answer again.
        theirs = change.conversation_id == conversation.pk and change.value
        if theirs and (change.answer_id, change.value) in unproven:
            left.setdefault(change.pk, {"value": "", "evidence": change.evidence})
    for change in changes:
        if change.pk in left:
            AnswerChange.objects.filter(pk=change.pk).update(**left[change.pk])
    return [
        {
            "change": change.pk,
            "was": {"value": change.value, "evidence": change.evidence},
            "left": left[change.pk],
        }
        for change in changes
        if change.pk in left
    ]


def _is_gone(
    piece: dict[str, Any],
    turns: Sequence[Turn],
    gone: Callable[[Evidence], bool],
    tells: Callable[[str], bool],
) -> bool:
    """By its time: the turn that it stood in may be another by now."""
    times = {"quote": piece["quote"], "start": piece["start"], "end": piece["end"]}
    return tells(piece["quote"]) or any(
        gone(Evidence(turn=turn, **times))
        for turn in turns
        if turn.start < piece["end"] and piece["start"] < turn.end
    )


def _changes(sheet: Sheet) -> QuerySet[AnswerChange]:
    return AnswerChange.objects.filter(answer__sheet=sheet)


def _as_they_are(sheet: Sheet, conversation: Conversation) -> dict[int, dict[str, Any]]:
    """Its answers by id, each with its evidence in that conversation, as JSON."""
    return {
        answer.pk: {
            "fields": _fields(answer),
            "evidence": list(
                answer.evidence.filter(turn__transcript__conversation=conversation).values(
                    "quote", "start", "end", "position"
                )
            ),
        }
        for answer in sheet.answers.all()
    }


def _fields(answer: Answer) -> dict[str, Any]:
    source = answer.conversation_id
    return {name: _plain(getattr(answer, name)) for name in FIELDS} | {
        "conversation_id": str(source) if source else None
    }


def _plain(value: Any) -> Any:
    """As JSON has it."""
    return value.isoformat() if isinstance(value, datetime) else value
