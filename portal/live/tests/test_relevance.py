from __future__ import annotations

from conftest import Cast
from portal.assessments import services, versions
from portal.assessments.tests.plans import PLAN
from portal.live.queries import domains
from portal.participants.models import Participant


def test_the_interview_asks_only_what_is_relevant(cast: Cast, participant: Participant) -> None:
    draft = versions.start_draft(team=cast.team, employee=cast.coordinator, plan=PLAN)
    versions.publish(draft=draft)
    sheet = services.sheet_for(participant)

    def asked() -> list[str]:
        return [q.slug for domain in domains(participant, None) for q in domain.questions]

    assert "alquiler" in asked()
    assert "bienvenida" not in asked()
    home = sheet.answers.get(question__slug="vivienda")
    services.edit_answer(answer=home, employee=cast.owner, value="calle")
    assert "alquiler" not in asked()
