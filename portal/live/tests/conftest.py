"""A recording of the cast, on the real server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from conftest import Cast
from portal.assessments.questionnaires import seed_default_questionnaire
from portal.live.models import LiveRecording
from portal.live.tests.server import (
    PortalWeb,
    Tab,
    serving,
    session_of,
)
from portal.participants.models import Consent, Participant


@pytest.fixture
def server(transactional_db: None) -> Iterator[str]:
    with serving() as address:
        yield address


@pytest.fixture
def recording(cast: Cast, participant: Participant, consent: Consent) -> LiveRecording:
    seed_default_questionnaire()  # a flushed database has lost it
    return LiveRecording.objects.create(
        participant=participant, consent=consent, created_by=cast.owner, engine="local"
    )


@pytest.fixture
def session(cast: Cast) -> str:
    return session_of(cast.owner)


@pytest.fixture
def tab(server: str, recording: LiveRecording, session: str) -> Iterator[Tab]:
    made = Tab(server, recording.pk, session)
    yield made
    made.close()


@pytest.fixture
def portal_web(transactional_db: None) -> Iterator[PortalWeb]:
    web = PortalWeb()
    web.start()
    yield web
    web.end()
