from __future__ import annotations

import pytest

from conftest import Cast
from portal.accounts import engines
from portal.participants.models import Consent, Participant
from portal.participants.offers import can_be_asked, offers

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def two_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "choices", lambda: [("nube", "Fuera"), ("local", "Aquí")])
    monkeypatch.setattr(engines, "lacking", lambda: [("rota", "Rota", "Falta su clave.")])


def usable(participant: Participant) -> list[str]:
    return [offer.name for offer in offers(participant) if not offer.reason]


def test_what_is_outside_needs_the_persons_yes(participant: Participant, consent: Consent) -> None:
    assert usable(participant) == ["local"]
    assert can_be_asked(participant)
    consent.external = True
    consent.save()
    assert usable(participant) == ["nube", "local"]
    assert not can_be_asked(participant)


def test_a_team_without_services_outside_is_told_so_and_asks_nobody(
    cast: Cast, participant: Participant, consent: Consent
) -> None:
    cast.team.external_services = False
    cast.team.save()
    participant.refresh_from_db()
    reasons = {offer.name: offer.reason for offer in offers(participant)}
    assert "no usa servicios externos" in reasons["nube"]
    assert not can_be_asked(participant)


def test_what_lacks_something_says_what(participant: Participant) -> None:
    assert offers(participant)[-1].reason == "Falta su clave."


def test_the_employees_engine_goes_before_the_teams(cast: Cast) -> None:
    cast.team.default_engine = "nube"
    assert engines.preferred(cast.owner, cast.team) == "nube"
    cast.owner.default_engine = "local"
    assert engines.preferred(cast.owner, cast.team) == "local"
