"""The API, asked all that its own description allows and nobody would think of."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
import schemathesis
from django.test import Client
from hypothesis import HealthCheck, settings
from schemathesis.core import NOT_SET

from conftest import Cast
from portal.api import api
from portal.assessments import services as assessments
from portal.conversations.models import Conversation
from portal.participants.models import Consent, Participant

described = schemathesis.openapi.from_dict(json.loads(json.dumps(api.get_openapi_schema())))


@pytest.fixture
def client(cast: Cast) -> Client:
    client = cast.client(cast.coordinator)
    client.raise_request_exception = False
    return client


@pytest.fixture
def ids(cast: Cast, participant: Participant, consent: Consent) -> dict[str, str]:
    """What stands in addresses: so that the calls get further than "not found"."""
    sheet = assessments.sheet_for(participant)
    conversation = Conversation.objects.create(
        participant=participant, consent=consent, created_by=cast.owner, engine="local"
    )
    answer = sheet.answers.get(question__slug="nacionalidad")
    suggestion = answer.suggestions.create(
        conversation=conversation, state="answered", value="Sí", engine="extractive"
    )
    return {
        "participant_id": str(participant.pk),
        "conversation_id": str(conversation.pk),
        "question": "nacionalidad",
        "suggestion": str(suggestion.pk),
        "inquiry_id": "1",
        "team_id": str(cast.team.pk),
        "chosen": "json",
        "kind": "fhir",
    }


@described.exclude(path_regex="conversations$", method="POST").parametrize()
@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_the_api_does_not_break(
    case: schemathesis.Case, client: Client, ids: dict[str, str]
) -> None:
    address = case.path.format(**ids)
    query = urlencode(case.query or {}, doseq=True)
    match case.body:
        case bytes() as body:
            pass
        case _ if case.body is NOT_SET:
            body = b""
        case _:
            body = json.dumps(case.body).encode()
    response = client.generic(
        case.method, f"{address}?{query}", body, content_type="application/json"
    )
    assert response.status_code < 500, (case.method, address, query, body)
