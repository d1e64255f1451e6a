"""Who of the voices heard so far is the employee, and from when on that can be relied on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Protocol

from portal.speech.engines.base import Turn
from portal.speech.roles import EMPLOYEE, OTHER, PARTICIPANT, assign_roles

SAMPLED = (EMPLOYEE, PARTICIPANT)
"""A voice with a sample is labelled with its role."""

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
    sampled = [label for label in labels if label in SAMPLED]
    if len(sampled) == len(SAMPLED):
        return Attribution({label: _of_sampled(label) for label in labels}, settled=True)
    said = [
        Turn(speaker, 0.0, 0.0, " ".join(turn.text for turn in run))
        for speaker, run in groupby(turns, key=lambda turn: turn.speaker)
    ]
    guess = assign_roles(said)
    roles = dict(guess.roles)
    if sampled:
        # One is known: of the others, the first that is no interpreter is the one missing.
        [known] = sampled
        [missing] = set(SAMPLED) - {known}
        others = [label for label in labels if label != known]
        main = next((label for label in others if roles[label] != OTHER), None)
        roles = {label: missing if label == main else OTHER for label in others} | {known: known}
        return Attribution(roles, settled=True)
    enough = len(labels) > 1 and len(said) >= MANY
    settled = before.settled or guess.decided or enough
    if before.settled and not guess.decided:
        roles |= before.roles
    return Attribution(roles, settled)


def _of_sampled(label: str) -> str:
    return label if label in SAMPLED else OTHER
