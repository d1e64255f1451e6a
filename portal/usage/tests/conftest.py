from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from portal.participants.models import Consent
from tests.servers.brains import Reader
from tests.servers.openai_server import OpenAIServer, serve


@pytest.fixture(scope="session")
def reader() -> Reader:
    return Reader()


@pytest.fixture
def server(reader: Reader, settings: Any) -> Iterator[OpenAIServer]:
    """The language model of this installation."""
    with serve(reader) as server:
        given = {
            "llm_model": server.model,
            "llm_base_url": server.url,
            "llm_api_key": server.api_key,
        }
        settings.ENV = settings.ENV.model_copy(update=given)
        yield server


@pytest.fixture
def consent(consent: Consent) -> Consent:
    """Services outside may be used, and the team uses the language model."""
    consent.external = True
    consent.save()
    team = consent.participant.team
    team.analysis_engine = "llm"
    team.save()
    return consent
