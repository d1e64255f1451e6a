"""The transcription engines as they are offered for one person's conversations."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise

from portal.accounts import engines
from portal.participants.leaving import may_leave
from portal.participants.models import Participant


@dataclass(frozen=True, slots=True)
class Offer:
    """``label``: its name for people. ``reason``: why it cannot be used now; "" when it can."""

    name: str
    label: str | Promise
    reason: str = ""


def offers(participant: Participant) -> list[Offer]:
    """Every engine of this installation, those that can be used first."""
    leave = may_leave(participant)
    why_not = f"{leave.reason} {leave.remedy}".strip()
    known = [
        Offer(name, label, "" if name in engines.ON_THIS_MACHINE else why_not)
        for name, label in engines.choices()
    ]
    known += [Offer(name, label, reason) for name, label, reason in engines.lacking()]
    return sorted(known, key=lambda offer: offer.reason != "")


def can_be_asked(participant: Participant) -> bool:
    """Whether it is only the person's yes that is missing for some engine."""
    return not may_leave(participant) and engines.may_go_outside(participant.team)
