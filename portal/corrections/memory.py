"""What the database holds of a stretch: taken out and kept with the redaction, and put back.

`Redaction.kept`: ``{"pieces": [striking.Piece], "edits": [{"edit", "was", "left"}], "flags":
[fields], "answers": [assessments.forgetting.forget], "inquiries": inquiries.forgetting.forget,
"described": fields or None, "chosen": what `take` was told}``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from portal.accounts.models import Employee
from portal.assessments import forgetting
from portal.assessments.models import Evidence
from portal.conversations import retrying
from portal.conversations.models import Conversation, ProcessingStep, Turn
from portal.conversations.steps import StepName
from portal.corrections import snapshots, striking
from portal.corrections.models import Edit, Flag, Redaction
from portal.corrections.striking import BLOCK, Piece, Said, Stretch, Struck
from portal.corrections.traces import Traces, traces
from portal.inquiries import forgetting as inquiries
from portal.inquiries.models import Inquiry

FLAG_FIELDS = ("turn_id", "kind", "start", "end", "quote", "resolved_at", "resolved_by_id")


@dataclass(frozen=True, slots=True)
class Found:
    """Each turn of a stretch with what stays of it, and the words that were said only there."""

    turns: tuple[tuple[Turn, Struck], ...]
    traces: Traces

    def unproven(self, piece: Evidence) -> bool:
        """Whether a piece of evidence stands on what is taken out."""
        taken = next((taken for turn, taken in self.turns if turn.pk == piece.turn_id), None)
        return taken is not None and (
            piece.quote not in taken.text
            or any(piece.start < p.end and piece.end > p.start for p in taken.pieces)
        )


def look(conversation: Conversation, stretch: Stretch) -> Found:
    """What would be taken out."""
    turns, left = [], []
    for turn in Turn.objects.filter(transcript__conversation=conversation):
        taken = striking.strike(turn, stretch)
        left.append(taken.text if taken else turn.text)
        if taken is not None:
            turns.append((turn, taken))
    pieces = [piece.text for _turn, taken in turns for piece in taken.pieces]
    return Found(tuple(turns), traces(pieces, left))


def inquiries_of(conversation: Conversation, found: Found) -> list[Inquiry]:
    """Those that would go with it."""
    taken = {turn.pk: taken for turn, taken in found.turns}
    left = list(Turn.objects.filter(transcript__conversation=conversation))
    for turn in left:
        if turn.pk in taken:
            turn.text, turn.words = taken[turn.pk].text, taken[turn.pk].words
    return inquiries.affected(conversation, left, tells=found.traces.in_)


def take(
    redaction: Redaction, *, answers: Collection[int] = (), description: bool = False
) -> set[int]:
    """Part of the caller's transaction, which holds the conversation and its transcript. Gives the
    ids of the turns that it changed."""
    conversation = redaction.conversation
    stretch = Stretch(redaction.start, redaction.end)
    found = look(conversation, stretch)
    told = found.traces
    for turn, taken in found.turns:
        _write(turn, taken.text, taken.words)
    redaction.kept = {
        "pieces": [asdict(piece) for _turn, taken in found.turns for piece in taken.pieces],
        "edits": _take_edits(conversation, stretch, told),
        "flags": _take_flags(conversation, stretch, told),
        "answers": forgetting.forget(
            conversation=conversation, gone=found.unproven, tells=told.in_, also=answers
        ),
        "inquiries": inquiries.forget(conversation=conversation, tells=told.in_),
        "described": _take_description(conversation, told, by_people=description),
        "chosen": {"answers": list(answers), "description": description},
    }
    redaction.save(update_fields=["kept"])
    return {turn.pk for turn, _taken in found.turns}


def take_again(redaction: Redaction) -> set[int]:
    """As it was taken the first time."""
    return take(redaction, **redaction.kept["chosen"])


def give_back(redaction: Redaction) -> set[int]:
    """Part of the caller's transaction, which holds the conversation and its transcript. Gives the
    ids of the turns that it changed."""
    conversation, kept = redaction.conversation, redaction.kept
    turns = list(Turn.objects.filter(transcript__conversation=conversation))
    versions = {turn.pk: turn.version for turn in turns}
    for row in kept["pieces"]:
        _put_back(turns, Piece(**row), Stretch(redaction.start, redaction.end))
    for row in kept["edits"]:
        edit = Edit.objects.filter(pk=row["edit"]).first()
        if edit is not None and [edit.before, edit.after] == row["left"]:
            edit.before, edit.after = row["was"]
            edit.save(update_fields=["before", "after"])
    present = {turn.pk for turn in turns}
    for row in kept["flags"]:
        turn_id = row["turn_id"] if row["turn_id"] in present else None
        Flag.objects.create(conversation=conversation, **{**row, "turn_id": turn_id})
    forgetting.remember(conversation=conversation, forgotten=kept["answers"])
    inquiries.remember(kept["inquiries"])
    if kept["described"]:
        # What a machine has written since then is not better than what was there.
        untitled = Conversation.objects.filter(pk=conversation.pk, titled_by=None)
        untitled.update(**kept["described"])
    return {turn.pk for turn in turns if turn.version != versions[turn.pk]}


def note(redaction: Redaction, changed: Collection[int], employee: Employee) -> None:
    """In the history of the transcript: pages that show it learn of it there."""
    turns = Turn.objects.filter(pk__in=changed).select_related("speaker")
    now = snapshots.take(turns=turns)
    Edit.objects.create(
        conversation=redaction.conversation,
        employee=employee,
        kind=Edit.Kind.REDACTION,
        before=now,
        after=now,
    )


def _write(turn: Turn, text: str, words: list[Any]) -> None:
    turn.text, turn.words = text, words
    turn.version += 1
    turn.save(update_fields=["text", "words", "version"])


def _put_back(turns: Sequence[Turn], piece: Piece, stretch: Stretch) -> None:
    """In the place of its block; of another of the stretch when that is gone, and at its time when
    there is none."""
    for turn in turns:
        if (whole := striking.put_back(turn, piece)) is not None:
            _write(turn, *whole)
            return
    others = [(turn, block) for turn in turns for block in striking.blocks(turn, stretch)]
    if others:
        turn, (start, end) = min(others, key=lambda other: abs(other[1][0] - piece.start))
        whole = striking.put_back(turn, Piece(start, end, piece.text, piece.words))
        if whole is not None:
            _write(turn, *whole)
    elif turns:
        turn = min(turns, key=lambda turn: max(turn.start - piece.start, piece.end - turn.end, 0))
        _write(turn, *striking.insert(turn, piece))


def _take_edits(conversation: Conversation, stretch: Stretch, told: Traces) -> list[dict[str, Any]]:
    taken = []
    for edit in Edit.objects.filter(conversation=conversation):
        was = [edit.before, edit.after]
        left = _hidden(was, stretch, told)
        if left != was:
            edit.before, edit.after = left
            edit.save(update_fields=["before", "after"])
            taken.append({"edit": edit.pk, "was": was, "left": left})
    return taken


def _hidden(value: Any, stretch: Stretch, told: Traces) -> Any:
    """A snapshot of turns and speakers without what was said in the stretch: by the times of its
    words, and what was written otherwise by the words themselves."""
    match value:
        case {"text": str(text), "words": list(words), "start": start, "end": end}:
            taken = striking.strike(Said(start, end, text, words), stretch)
            text, words = (taken.text, taken.words) if taken else (text, words)
            if told.in_(text):
                text, words = BLOCK, [[BLOCK, start, end, 1.0]]
            return value | {"text": text, "words": words}
        case {"name": str(name)}:
            return value | {"name": told.hidden(name)}
        case dict():
            return {name: _hidden(item, stretch, told) for name, item in value.items()}
        case list():
            return [_hidden(item, stretch, told) for item in value]
    return value


def _take_flags(conversation: Conversation, stretch: Stretch, told: Traces) -> list[dict[str, Any]]:
    flags = [
        flag
        for flag in Flag.objects.filter(conversation=conversation)
        if stretch.holds(flag.start, flag.end) or told.in_(flag.quote)
    ]
    taken = [
        {name: getattr(flag, name) for name in FLAG_FIELDS}
        | {"resolved_at": flag.resolved_at and flag.resolved_at.isoformat()}
        for flag in flags
    ]
    Flag.objects.filter(pk__in=[flag.pk for flag in flags]).delete()
    return taken


def _take_description(
    conversation: Conversation, told: Traces, *, by_people: bool
) -> dict[str, Any] | None:
    """A title or a description that tells of it goes, and a machine looks for another."""
    conversation.refresh_from_db(fields=["title", "description", "titled_by"])
    written = conversation.titled_by_id is not None
    was = {"title": conversation.title, "description": conversation.description}
    gone = {name: "" for name, text in was.items() if told.in_(text)}
    if (written and not by_people) or not gone:
        return None
    Conversation.objects.filter(pk=conversation.pk).update(**gone, titled_by=None)
    describe = conversation.steps.filter(name=StepName.DESCRIBE).exclude(
        state=ProcessingStep.State.SKIPPED
    )
    if describe.exists():
        retrying.repeat(conversation=conversation, steps=describe)
    return was | {"titled_by_id": conversation.titled_by_id}
