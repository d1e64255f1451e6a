"""Reads of corrections; who may see them follows from the conversation."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet, TextChoices

from portal.conversations.models import Conversation, ProcessingStep, Speaker, Turn
from portal.conversations.steps import OPEN, StepName
from portal.corrections import snapshots
from portal.corrections.models import UNDONE_ELSEWHERE, Edit


def of_turn(conversation: Conversation, turn: int) -> QuerySet[Edit]:
    """What was changed of the turn with that id, the latest first."""
    return _touching(conversation, "turns", turn)


def of_speaker(conversation: Conversation, speaker: int) -> QuerySet[Edit]:
    return _touching(conversation, "speakers", speaker)


def _touching(conversation: Conversation, kind: str, pk: int) -> QuerySet[Edit]:
    row = [{"id": pk}]
    touching = Q(**{f"before__{kind}__contains": row}) | Q(**{f"after__{kind}__contains": row})
    return Edit.objects.filter(touching, conversation=conversation).select_related("employee")


def where_now(conversation: Conversation, turn: int) -> int | None:
    """The id of the turn that holds the words of the one with that id, or None."""
    present = Turn.objects.filter(transcript__conversation=conversation)
    while not present.filter(pk=turn).exists():
        # The latest change of a turn that is gone is the one that took it away.
        latest = of_turn(conversation, turn).first()
        heirs = snapshots.ids(latest.after, "turns") if latest else []
        if not heirs:
            return None
        turn = heirs[0]
    return turn


def standing(edits: QuerySet[Edit]) -> QuerySet[Edit]:
    """Those of ``edits`` that have not been undone and can be, the latest first."""
    left = edits.filter(undone_by=None).exclude(kind__in=UNDONE_ELSEWHERE)
    return left.select_related("employee")


def is_edited(conversation: Conversation) -> bool:
    """Whether a person has worked on its transcript, which no machine then replaces. What is struck
    stays struck in whatever takes its place."""
    edits = Edit.objects.filter(conversation=conversation)
    return edits.exclude(kind=Edit.Kind.REDACTION).exists()


def revision(conversation: Conversation) -> int:
    """Grows with every change: what a page says it has seen."""
    latest = Edit.objects.filter(conversation=conversation).values_list("pk", flat=True)
    return latest.first() or 0


@dataclass(frozen=True, slots=True)
class Changes:
    """What brings a page that shows an older revision up to date.

    ``turns``: in their order, each with its speaker; ``before``: the id of the one that stands
    before each, or None for the first of all; ``removed``: ids of turns that are gone.
    """

    revision: int
    turns: tuple[Turn, ...]
    before: tuple[int | None, ...]
    removed: tuple[int, ...]


def changes_since(conversation: Conversation, seen: int, *, also: int | None = None) -> Changes:
    """``also``: the id of a turn that is told of whether it changed or not."""
    edits = list(Edit.objects.filter(conversation=conversation, pk__gt=seen))
    touched = {pk for edit in edits for pk in _ids(edit, "turns")}
    if also is not None:
        touched.add(also)
    voices = {pk for edit in edits for pk in _ids(edit, "speakers")}
    turns = Turn.objects.filter(transcript__conversation=conversation)
    order = list(turns.values_list("pk", flat=True))
    previous = dict(zip(order, [None, *order], strict=False))
    shown = tuple(turns.filter(Q(pk__in=touched) | Q(speaker__in=voices)).select_related("speaker"))
    return Changes(
        revision=edits[0].pk if edits else seen,
        turns=shown,
        before=tuple(previous[turn.pk] for turn in shown),
        removed=tuple(sorted(touched - set(order))),
    )


def _ids(edit: Edit, kind: str) -> set[int]:
    return {*snapshots.ids(edit.before, kind), *snapshots.ids(edit.after, kind)}


def speakers(conversation: Conversation) -> list[Speaker]:
    """Of its transcript, in the order of their labels, each with how many ``turns`` it has."""
    found = Speaker.objects.filter(transcript__conversation=conversation)
    return list(found.annotate(turn_count=Count("turns")).order_by("label"))


class Analysis(TextChoices):
    """What a page says of the analysis after corrections."""

    CURRENT = "current"
    STALE = "stale"
    RUNNING = "running"


def analysis(conversation: Conversation) -> Analysis:
    """``conversation`` comes with its steps."""
    latest = Edit.objects.filter(conversation=conversation).first()
    steps = {step.name: step for step in conversation.steps.all()}
    if latest is None or StepName.ASSESS not in steps:
        return Analysis.CURRENT
    if any(step.state in OPEN for step in steps.values()):
        return Analysis.RUNNING
    assess = steps[StepName.ASSESS]
    read_at = assess.started_at if assess.state == ProcessingStep.State.DONE else None
    return Analysis.STALE if read_at is None or read_at < latest.made_at else Analysis.CURRENT
