from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from conftest import Cast
from portal.participants.leaving import may_leave
from portal.participants.models import Consent, Participant

pytestmark = pytest.mark.django_db


def agree(participant: Participant, *, external: bool, record: bool = True) -> Consent:
    return Consent.objects.create(
        participant=participant,
        wording="…",
        language="es",
        record=record,
        analyse=True,
        external=external,
        recorded_by=participant.created_by,
    )


def test_nothing_leaves_without_a_yes_to_just_that(participant: Participant) -> None:
    assert not may_leave(participant)
    agree(participant, external=False)
    leave = may_leave(participant)
    assert not leave
    assert "no ha aceptado" in leave.reason and "Pregúnteselo" in leave.remedy


def test_a_yes_is_enough_and_says_no_reason(participant: Participant) -> None:
    agree(participant, external=True)
    leave = may_leave(participant)
    assert leave
    assert leave.reason == ""


def test_the_last_word_counts_in_both_directions(participant: Participant) -> None:
    earlier = agree(participant, external=False)
    agree(participant, external=True)
    assert may_leave(participant, consent=earlier)
    agree(participant, external=False)
    assert not may_leave(participant, consent=earlier)


def test_what_was_withdrawn_does_not_count(participant: Participant) -> None:
    earlier = agree(participant, external=True)
    later = agree(participant, external=True)
    Consent.objects.filter(pk=later.pk).update(given_at=timezone.now() + timedelta(seconds=1))
    earlier.withdrawn_at = timezone.now()
    earlier.save()
    assert may_leave(participant)
    assert not may_leave(participant, consent=earlier)
    Consent.objects.filter(pk=later.pk).update(withdrawn_at=timezone.now())
    assert not may_leave(participant)


def test_who_does_not_agree_to_a_recording_agrees_to_nothing(participant: Participant) -> None:
    agree(participant, external=True, record=False)
    assert not may_leave(participant)


def test_a_team_that_uses_nothing_outside_decides_before(
    cast: Cast, participant: Participant
) -> None:
    agree(participant, external=True)
    cast.team.external_services = False
    cast.team.save()
    participant.refresh_from_db()
    leave = may_leave(participant)
    assert not leave
    assert "equipo" in leave.reason
