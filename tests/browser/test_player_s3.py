"""Listening to what is kept in S3: under the pages' policy, by ranges, past an address's life."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as configured
from moto.server import ThreadedMotoServer
from playwright.sync_api import Page

from conftest import Cast
from portal import settings as ours
from portal.environment import Environment
from portal.participants.models import Consent
from tests.browser.scene import person_page, ready_talk

BUCKET = "grabaciones"


@pytest.fixture
def endpoint(settings: Any) -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    env = Environment(
        s3_bucket=BUCKET, s3_endpoint=address, s3_key_id="key", s3_secret_key="secret"
    )
    settings.STORAGES = {**configured.STORAGES, "default": ours.recordings(env)}
    settings.CONTENT_SECURITY_POLICY = ours.content_security_policy(env)
    yield address
    server.stop()


def test_a_recording_in_s3_is_heard(
    page: Page, cast: Cast, consent: Consent, endpoint: str
) -> None:
    from django.core.files.storage import default_storage

    default_storage.connection.create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-south-2"}
    )
    talk = ready_talk(consent, cast)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    person_page(page, talk.participant)
    page.get_by_role("button", name="Reproducir la conversación").click()
    page.wait_for_function("() => document.querySelector('audio').currentTime > 0")
    assert any(url.startswith(f"{endpoint}/{BUCKET}/{talk.pk}/") for url in asked)
