"""A stretch struck out of what was recorded live, from the journals to the last byte."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from conftest import Cast
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments.questionnaires import seed_default_questionnaire
from portal.conversations.models import ProcessingStep, Recording, Turn
from portal.corrections import redaction
from portal.corrections.models import Redaction
from portal.corrections.tasks import finish
from portal.corrections.tests.scene import files, files_with, rows_with
from portal.inquiries.models import Inquiry
from portal.live import services as live
from portal.live.tests.scene import find, hear, pcm, record
from portal.participants.models import Consent

SAID = (
    ("empleado", 0.0, "¿Está usted empadronada en algún sitio?"),
    ("usuario", 4.0, "Sí, en la calle Zarzaparrilla, desde marzo."),
)
FOUND = Finding("empadronamiento", "answered", "En Zarzaparrilla", (Evidence(1, "Zarzaparrilla"),))
SECRET = pcm(0.1, level=12345)


@pytest.mark.django_db(transaction=True)
def test_nothing_of_it_is_left(
    cast: Cast,
    consent: Consent,
    tmp_path: Path,
    settings: Any,
) -> None:
    settings.MEDIA_ROOT = str(tmp_path)
    seed_default_questionnaire()
    recording = live.start(
        employee=cast.owner,
        participant=consent.participant,
        consent=consent,
        engine="local",
        voices={"empleado": pcm(2)},
    )
    part = record(recording, pcm(5.9), pcm(0.7, level=12345), pcm(3.4))
    hear(part, SAID)
    find(recording, FOUND)
    talk = live.finish(recording=recording)
    Inquiry.objects.create(
        participant=consent.participant, question="¿Zarzaparrilla?", asked_by=cast.owner
    )
    Inquiry.objects.create(
        participant=consent.participant,
        question="¿En qué calle?",
        unfinished="En la calle Zarzaparrilla",
        asked_by=cast.owner,
    )
    inquiry = Inquiry.objects.create(
        participant=consent.participant,
        conversation=talk,
        question="¿Dónde?",
        asked_by=cast.owner,
    )
    inquiry.replies.create(
        conversation=talk,
        answer="En Zarzaparrilla",
        evidence=[{"quote": "calle Zarzaparrilla", "start": 5.5, "end": 6.5}],
    )
    assert rows_with(("zarzaparrilla",)) >= {
        "conversations_turn.text",
        "assessments_answer.value",
        "inquiries_inquiry.question",
        "inquiries_inquiry.unfinished",
        "inquiries_reply.answer",
        "inquiries_reply.evidence",
    }
    assert [path.name for path in files() if SECRET in path.read_bytes()] == ["original.wav"]

    start, end = redaction.chosen(talk, 6.0, 6.0)
    redaction.strike(conversation=talk, employee=cast.owner, start=start, end=end)
    assert rows_with(("zarzaparrilla",)) == {"corrections_redaction.kept"}
    with redaction.sound(talk) as heard:
        assert SECRET not in heard.read_bytes()

    Redaction.objects.update(final_at=timezone.now() - timedelta(seconds=1))
    finish()
    assert rows_with(("zarzaparrilla",)) == set()
    assert files_with(("zarzaparrilla",)) == []
    assert not any(SECRET in path.read_bytes() for path in files())
    stored = Path(Recording.objects.get().file.path)
    assert stored.stat().st_size == 44 + 2 * 16_000 * 10
    assert stored.read_bytes()[44 : 44 + 2 * 16_000 * 5] == pcm(5)
    assert Turn.objects.get(position=1).text == "Sí, en la calle █████ desde marzo."
    assert ProcessingStep.objects.get(name="transcribe").state == "waiting"
