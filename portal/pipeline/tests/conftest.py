from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection

from conftest import Cast
from portal.assessments.questionnaires import seed_default_questionnaire
from portal.conversations import services
from portal.conversations.models import Conversation
from portal.participants.models import Consent

SPOKEN = Path(__file__).parents[3] / "tests" / "audio"

Receive = Callable[..., Conversation]


@pytest.fixture
def receive(cast: Cast, consent: Consent, tmp_path: Path, settings: Any) -> Receive:
    """Takes a file in, as the API does."""
    settings.MEDIA_ROOT = str(tmp_path / "recordings")
    seed_default_questionnaire()
    with connection.cursor() as cursor:  # Django's flush leaves tables alone that it does not make
        cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")

    def take(body: bytes, name: str = "entrevista.ogg", engine: str = "local") -> Conversation:
        return services.receive(
            employee=cast.owner,
            participant=consent.participant,
            consent=consent,
            file=ContentFile(body, name),
            engine=engine,
            language="es",
        )

    return take
