"""What becomes of proof when the transcript that it stands in becomes another: the final pass of a
live recording, a person's corrections, other roles of its voices."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from django.db import transaction

from portal.analysis.engines.base import Evidence as AnalysisEvidence
from portal.analysis.engines.base import Finding
from portal.analysis.engines.base import Turn as AnalysisTurn
from portal.analysis.grounding import ground_finding
from portal.assessments import quotes
from portal.assessments.models import Answer, Evidence, Sheet, Suggestion
from portal.assessments.records import (
    Action,
    Piece,
    Proposal,
    count,
    locked_sheet,
    pieces,
    put,
    take_back,
)
from portal.assessments.services import turns_for, typed_value
from portal.conversations import results
from portal.conversations.models import Conversation, Transcript, Turn
from portal.conversations.turns import insert, remove
from portal.speech.engines import base as speech


@transaction.atomic
def replace_transcript(*, conversation: Conversation, transcript: speech.Transcript) -> Transcript:
    """Keep ``transcript`` in place of the one before, if any, without losing what rests on that
    one: its evidence moves to the words that the new one has at the same seconds."""
    sheet = locked_sheet(conversation)
    moving = list(Evidence.objects.filter(turn__transcript__conversation=conversation))
    kept = results.save_transcript(conversation=conversation, transcript=transcript)
    turns = list(kept.turns.all())
    moved = []
    for piece in moving:
        place = quotes.find_again(piece.quote, piece.start, piece.end, turns)
        if place is not None:
            moved.append(
                Evidence(
                    answer_id=piece.answer_id,
                    turn=turns[place.turn],
                    quote=place.quote,
                    start=place.start,
                    end=place.end,
                    position=piece.position,
                )
            )
    Evidence.objects.bulk_create(moved)
    _move_suggested(
        conversation,
        lambda p: _piece(quotes.find_again(p["quote"], p["start"], p["end"], turns), turns),
    )
    if sheet is not None:
        _prove_again(sheet, conversation)
    return kept


@transaction.atomic
def rewrite_turns(
    *,
    transcript: Transcript,
    written: Sequence[Turn],
    made: Mapping[int, Turn],
    removed: Collection[Turn],
) -> None:
    """Keep turns as a person has them now, without losing what rests on their words.

    ``written``: those that were changed, ``made``: new ones by the position they take,
    ``removed``: those whose words are in others now, or gone. Evidence goes where its words have
    gone; a machine's answer without any left is taken back. The caller holds the transcript's row.
    """
    conversation = transcript.conversation
    sheet = locked_sheet(conversation)
    moving = list(Evidence.objects.filter(turn__in=[*written, *removed]))
    for turn in written:
        turn.save()
    for position, turn in sorted(made.items()):
        insert(turn, position=position)
    present = sorted([*written, *made.values()], key=lambda turn: turn.position)
    for piece in moving:
        place = quotes.follow(piece.quote, piece.start, piece.end, present)
        if place is None:
            piece.delete()
            continue
        piece.turn, piece.quote = present[place.turn], place.quote
        piece.start, piece.end = place.start, place.end
        piece.save()
    touched = {turn.pk for turn in [*written, *removed]}
    _move_suggested(
        conversation,
        lambda p: (
            _piece(quotes.follow(p["quote"], p["start"], p["end"], present), present)
            if p["turn"] in touched
            else p
        ),
    )
    for turn in removed:
        remove(turn)
    if sheet is not None:
        _prove_again(sheet, conversation)


@transaction.atomic
def prove_again(*, conversation: Conversation, accepted_too: bool = False) -> None:
    """Hold what machines said of a conversation against its turns as they are now, when for
    example other roles were given to its voices. What is proven no longer is taken back, but for
    what a person accepted, unless ``accepted_too``."""
    sheet = locked_sheet(conversation)
    if sheet is not None:
        _prove_again(sheet, conversation, accepted_too=accepted_too)


def _prove_again(sheet: Sheet, conversation: Conversation, *, accepted_too: bool = False) -> None:
    turns = list(
        Turn.objects.filter(transcript__conversation=conversation).select_related("speaker")
    )
    numbers = {turn.pk: number for number, turn in enumerate(turns)}
    spoken = turns_for(turns)
    proposed = sheet.answers.filter(origin=Answer.Origin.MACHINE, conversation=conversation)
    if not accepted_too:
        proposed = proposed.filter(reviewed_by=None)
    for answer in proposed.select_related("question").prefetch_related("evidence"):
        kept = [p for p in pieces(answer.evidence.all()) if p["turn"] in numbers]
        proven = _proven(answer, kept, spoken, numbers)
        if proven.state == "unasked":
            take_back(answer)
        elif proven.state != answer.state:
            still = {(turns[piece.turn].pk, piece.quote) for piece in proven.evidence}
            proposal = Proposal(
                conversation=conversation,
                state=proven.state,
                value=proven.answer,
                typed=typed_value(answer.question, proven.answer),
                evidence=tuple(p for p in kept if (p["turn"], p["quote"]) in still),
                engine=answer.engine,
                model=answer.model,
                confidence=answer.confidence,
            )
            put(answer, proposal, Action.TAKEN_BACK)
    for suggestion in _suggested(conversation):
        kept = [p for p in suggestion.evidence if p["turn"] in numbers]
        if _proven(suggestion, kept, spoken, numbers).state != suggestion.state:
            suggestion.delete()
    count(sheet)


def _proven(
    said: Answer | Suggestion,
    evidence: Sequence[Piece],
    spoken: Sequence[AnalysisTurn],
    numbers: Mapping[int, int],
) -> Finding:
    """As far as that evidence proves it; ``numbers``: the place of each turn by its id."""
    finding = Finding(
        question_id="",
        state=said.state,  # type: ignore[arg-type]  # the same words as a choice
        answer=said.value,
        evidence=tuple(AnalysisEvidence(numbers[p["turn"]], p["quote"]) for p in evidence),
        confidence=said.confidence,
    )
    return ground_finding(spoken, finding)


def _suggested(conversation: Conversation) -> list[Suggestion]:
    return list(Suggestion.objects.filter(conversation=conversation, taken=None))


def _move_suggested(conversation: Conversation, move: Callable[[Piece], Piece | None]) -> None:
    """What waits for a decision goes where its words have gone, as evidence does."""
    for suggestion in _suggested(conversation):
        moved = [place for piece in suggestion.evidence if (place := move(piece)) is not None]
        if moved != suggestion.evidence:
            suggestion.evidence = moved
            suggestion.save(update_fields=["evidence"])


def _piece(place: quotes.Place | None, turns: Sequence[Turn]) -> Piece | None:
    if place is None:
        return None
    return Piece(turn=turns[place.turn].pk, quote=place.quote, start=place.start, end=place.end)
