"""Who of the voices heard so far is the employee, and from when on that can be relied on.

Who is who is told by ``portal.speech.roles``, voices with a sample too, as it is of the
whole recording in the end. Here is only when that may be relied on, and what then stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

from portal.speech.engines.base import Turn
from portal.speech.roles import assign_roles

MANY = 12
"""Turns of at least two voices after which the likelier guess has to do: questions ticked late are
worth more than none, and a person can change them."""


class Said(Protocol):
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Attribution:
    """``roles``: label to role. ``settled``: good enough to tell a question from an answer."""

    roles: dict[str, str] = field(default_factory=dict)
    settled: bool = False


def attribute(turns: Sequence[Said], before: Attribution) -> Attribution:
    """The roles of all voices in ``turns``; what was settled ``before`` only gives way to what is
    sure."""
    labels = dict.fromkeys(turn.speaker for turn in turns)
    said = [
        Turn(speaker, 0.0, 0.0, " ".join(turn.text for turn in run))
        for speaker, run in groupby(turns, key=lambda turn: turn.speaker)
    ]
    guess = assign_roles(said)
    if not before.settled or guess.decided:
        enough = len(labels) > 1 and len(said) >= MANY
        return Attribution(dict(guess.roles), before.settled or guess.decided or enough)
    # What is settled is believed like a sample, unless one has come since and says otherwise: so a
    # new voice takes no role that is somebody's already.
    kept = {label: role for label, role in before.roles.items() if role not in labels}
    named = [replace(turn, speaker=kept.get(turn.speaker, turn.speaker)) for turn in said]
    roles = {**assign_roles(named).roles, **kept}
    return Attribution({label: roles[label] for label in labels}, settled=True)
