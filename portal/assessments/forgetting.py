"""What becomes of a ficha when words are taken out of a transcript, and when they come back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from portal.assessments import quotes, services
from portal.assessments.models import Answer, Evidence, Sheet
from portal.conversations.models import Conversation, Turn

FIELDS = ("state", "value", "origin", "engine", "model", "confidence", "edited_by_id")


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
    """Take out of the ficha what rests on words that were taken out of a conversation.

    ``gone``: which of its evidence stood on them; ``tells``: whether a text holds them. A person's
    answer that holds them stays, unless its id is in ``also``. Gives what `remember` needs.
    """
    sheet = services.locked_sheet(conversation)
    if sheet is None:
        return []
    before = _as_they_are(sheet, conversation)
    proofs = Evidence.objects.filter(turn__transcript__conversation=conversation)
    Evidence.objects.filter(pk__in=[piece.pk for piece in proofs if gone(piece)]).delete()
    for answer in sheet.answers.all():
        machine = answer.origin == Answer.Origin.MACHINE and answer.conversation == conversation
        if (machine or answer.pk in also) and tells(answer.value):
            services.take_back(answer)
    services.prove_again(conversation=conversation)
    return [
        {"answer": pk, "was": before[pk], "left": left["fields"]}
        for pk, left in _as_they_are(sheet, conversation).items()
        if left != before[pk]
    ]


@transaction.atomic
def remember(*, conversation: Conversation, forgotten: Sequence[dict[str, Any]]) -> None:
    """Put back what `forget` took, once the words are in the transcript again. An answer that has
    changed since stays as it is."""
    sheet = services.locked_sheet(conversation)
    if sheet is None:
        return
    turns = list(Turn.objects.filter(transcript__conversation=conversation))
    for item in forgotten:
        answer = sheet.answers.filter(pk=item["answer"]).first()
        if answer is None or _fields(answer) != item["left"]:
            continue
        for name, value in item["was"]["fields"].items():
            setattr(answer, name, value)
        answer.save()
        answer.evidence.filter(turn__transcript__conversation=conversation).delete()
        for piece in item["was"]["evidence"]:
            place = quotes.find_again(piece["quote"], piece["start"], piece["end"], turns)
            if place is not None:
                found = {"turn": turns[place.turn], "quote": place.quote}
                Evidence.objects.create(answer=answer, **{**piece, **found})
    services.prove_again(conversation=conversation)


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
    return {name: getattr(answer, name) for name in FIELDS} | {
        "conversation_id": str(source) if source else None
    }
