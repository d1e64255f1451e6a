from __future__ import annotations

import pytest

from conftest import Cast
from portal.assessments import services as assessments
from portal.assessments import versions
from portal.assessments.tests.plans import PLAN
from portal.live import queries
from portal.live.models import LiveRecording
from portal.participants.models import Consent, Participant


@pytest.fixture
def recording(cast: Cast, participant: Participant, consent: Consent) -> LiveRecording:
    """Of a team whose questions depend on one another."""
    draft = versions.start_draft(team=cast.team, employee=cast.coordinator, plan=PLAN)
    versions.publish(draft=draft)
    return LiveRecording.objects.create(
        participant=participant, consent=consent, created_by=cast.owner, engine="local"
    )


def left_out(recording: LiveRecording) -> list[str]:
    return queries.snapshot(recording)["left_out"]


def test_the_interview_asks_only_what_is_relevant(
    cast: Cast, participant: Participant, recording: LiveRecording
) -> None:
    shown = [q for domain in queries.domains(participant, recording) for q in domain.questions]
    assert [question.slug for question in shown if question.is_note] == ["bienvenida"]
    assert [question.slug for question in shown if question.left_out] == ["ayudas"]
    sheet = assessments.sheet_for(participant)
    home = sheet.answers.get(question__slug="vivienda")
    assessments.edit_answer(answer=home, employee=cast.owner, value="calle")
    assert left_out(recording) == ["alquiler", "ayudas"]


def test_what_was_just_said_brings_further_questions(
    participant: Participant, recording: LiveRecording
) -> None:
    for slug, value in (("vivienda", "Vivo en un piso compartido"), ("personas", "Somos tres")):
        recording.ticks.create(
            question=assessments.sheet_for(participant).answers.get(question__slug=slug).question,
            state="answered",
            origin="machine",
            value=value,
        )
    assert left_out(recording) == []


def test_without_conditions_there_is_nothing_to_tell(
    participant: Participant, consent: Consent, cast: Cast
) -> None:
    plain = LiveRecording.objects.create(
        participant=participant, consent=consent, created_by=cast.owner, engine="local"
    )
    assert "left_out" not in queries.snapshot(plain)


def test_a_note_is_there_to_be_read_out(cast: Cast, recording: LiveRecording) -> None:
    html = cast.client(cast.owner).get(f"/grabaciones/{recording.pk}/").content.decode()
    assert "Gracias por venir." in html
    assert 'data-question="bienvenida"' not in html
