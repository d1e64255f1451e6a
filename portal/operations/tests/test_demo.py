from __future__ import annotations

import pytest

from portal.accounts.models import Employee
from portal.conversations.models import Conversation
from portal.operations import demo
from portal.participants.models import Participant

pytestmark = pytest.mark.django_db


def test_the_office_is_made_once_and_stays_as_people_leave_it() -> None:
    demo.build()
    assert Employee.objects.count() == 2
    assert Participant.objects.count() == 8
    assert demo.pending() == Conversation.objects.count() == 3
    for conversation in Conversation.objects.all():
        assert conversation.consent.is_valid
        assert conversation.recording.size > 0
    Participant.objects.filter(conversations=None).first().delete()  # type: ignore[union-attr]
    demo.build()
    assert Participant.objects.count() == 7


def test_its_people_can_sign_in() -> None:
    demo.build()
    for employee in Employee.objects.all():
        assert employee.check_password(demo.PASSWORD)
        assert any(employee.email in line for line in demo.welcome())
