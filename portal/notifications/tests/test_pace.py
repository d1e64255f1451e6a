"""Progress and time left."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from conftest import Cast
from portal.conversations.models import Conversation
from portal.notifications import pace, queries
from portal.notifications.tests.test_views import activity, processing
from portal.participants.models import Consent


@pytest.fixture(autouse=True)
def without_memory() -> Iterator[None]:
    pace._learned.cache_clear()
    yield
    pace._learned.cache_clear()


@pytest.fixture
def conversation(consent: Consent, cast: Cast) -> Conversation:
    """An hour long, half transcribed in ten minutes."""
    made = processing(consent, cast)
    Conversation.objects.filter(pk=made.pk).update(duration=3600.0)
    begun = timezone.now() - timedelta(minutes=10)
    made.steps.filter(name="transcribe").update(started_at=begun)
    return made


def left(cast: Cast) -> float:
    [item] = queries.in_progress(cast.owner)
    assert item.left is not None
    return item.left


def test_the_running_step_tells_by_its_own_pace(cast: Cast, conversation: Conversation) -> None:
    rest = sum(
        pace.USUAL[name] * 3600 for name in ("attribute", "assess", "describe", "review", "notify")
    )
    assert left(cast) == pytest.approx(600 + rest, abs=2)
    assert "quedan unos 12 min" in activity(cast.client(cast.owner))


def test_the_others_by_what_they_took_before(
    cast: Cast, consent: Consent, conversation: Conversation
) -> None:
    before = processing(consent, cast)
    now = timezone.now()
    before.steps.update(state="done", started_at=now - timedelta(seconds=36), finished_at=now)
    Conversation.objects.filter(pk=before.pk).update(status="ready", duration=360.0)
    # Five steps at a tenth of the recording's length each.
    assert left(cast) == pytest.approx(600 + 5 * 360, abs=2)


def test_a_step_that_has_just_begun_by_what_is_usual(
    cast: Cast, conversation: Conversation
) -> None:
    conversation.steps.exclude(name="notify").update(state="done")
    conversation.steps.filter(name="review").update(
        state="running", progress=0, started_at=timezone.now()
    )
    assert left(cast) == pytest.approx(0.021 * 3600, abs=2)
    conversation.steps.filter(name="review").update(started_at=timezone.now() - timedelta(days=1))
    [item] = queries.in_progress(cast.owner)
    assert item.left is not None
    assert item.left < 10
    assert item.share < 1


def test_what_waits_for_a_service_tells_no_time(cast: Cast, conversation: Conversation) -> None:
    conversation.steps.filter(name="transcribe").update(
        state="waiting", attempts=2, reason="El servicio no contesta."
    )
    page = activity(cast.client(cast.owner))
    assert "A la espera de volver a intentarlo" in page
    assert "queda" not in page


def test_several_take_the_time_of_all(
    cast: Cast, consent: Consent, conversation: Conversation
) -> None:
    other = processing(consent, cast)
    assert "queda" not in activity(cast.client(cast.owner)), "of one the length is not known"
    Conversation.objects.filter(pk=other.pk).update(duration=60.0)
    html = activity(cast.client(cast.owner))
    assert "2 conversaciones en proceso" in html
    assert "quedan unos 13 min" in html


def test_one_that_waits_for_others_says_so(cast: Cast, conversation: Conversation) -> None:
    conversation.steps.update(state="waiting", progress=0, started_at=None)
    assert "En cola" in activity(cast.client(cast.owner))
