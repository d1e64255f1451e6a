"""How far a conversation is and how long it still takes, by what the last ones took here."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import inf

from django.utils import timezone

from portal.conversations.models import Conversation, ProcessingStep
from portal.conversations.steps import OPEN, StepName

State = ProcessingStep.State

USUAL: Mapping[str, float] = {
    StepName.PROBE: 0.005,
    StepName.TRANSCRIBE: 0.25,
    StepName.ATTRIBUTE: 0.005,
    StepName.ASSESS: 0.004,
    StepName.DESCRIBE: 0.002,
    StepName.REVIEW: 0.02,
    StepName.NOTIFY: 0.001,
}
"""Seconds that a step takes for each second of sound, until there is experience."""

LOOKED_AT = 20
REMEMBERED_SECONDS = 600
SURE = 0.05
"""From that share of a step on, its own pace tells more than that of others."""
NEVER_QUITE = 0.9


def paces(engine: str) -> Mapping[str, float]:
    """`USUAL`, with the median of the last conversations that had this engine."""
    return _learned(engine, int(time.monotonic() / REMEMBERED_SECONDS))


@lru_cache(maxsize=32)
def _learned(engine: str, _period: int) -> Mapping[str, float]:
    last = (
        Conversation.objects.filter(engine=engine, duration__gt=0)
        .exclude(status=Conversation.Status.PROCESSING)
        .order_by("-created_at")[:LOOKED_AT]
    )
    took: defaultdict[str, list[float]] = defaultdict(list)
    done = ProcessingStep.objects.filter(
        conversation__in=[conversation.pk for conversation in last],
        state=State.DONE,
    )
    for name, started, finished, seconds in done.values_list(
        "name", "started_at", "finished_at", "conversation__duration"
    ):
        if started is not None and finished is not None and seconds:
            took[name].append((finished - started).total_seconds() / seconds)
    return {**USUAL, **{name: statistics.median(those) for name, those in took.items()}}


def share_and_left(
    steps: Iterable[ProcessingStep], *, engine: str, duration: float | None
) -> tuple[float, float | None]:
    """-> (how much of the work is done, 0 to 1; seconds that are left, None when nobody can know,
    since nobody knows yet how long the recording is, or when what did not answer will)."""
    pace = paces(engine)
    whole = done = left = 0.0
    for step in steps:
        expected = pace.get(step.name, 0.0) * (duration or 60.0)
        whole += expected
        if step.state not in OPEN:
            done += expected
        elif step.state == State.RUNNING and step.started_at is not None:
            elapsed = max(0.0, (timezone.now() - step.started_at).total_seconds())
            if step.progress >= SURE:
                done += expected * step.progress
                left += elapsed * (1 - step.progress) / step.progress
            else:
                done += min(elapsed, expected * NEVER_QUITE) if duration else 0.0
                left += max(0.0, expected - elapsed)
        else:
            done += expected * step.progress
            left += inf if step.reason else expected
    share = done / whole if whole else 0.0
    return share, left if duration and left < inf else None
