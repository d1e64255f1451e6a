from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from conftest import Cast
from portal.participants import consent, services
from portal.participants.details import clean_email, clean_name, clean_phone
from portal.participants.models import Participant


def test_details_are_kept_tidy() -> None:
    assert clean_name("  Rosa   María Peña ") == "Rosa María Peña"
    assert clean_email(" Rosa@Example.ORG ") == "rosa@example.org"
    assert clean_phone("+34 600-11 22.33") == "+34600112233"
    assert clean_phone("0034 600 112 233") == "+34600112233"
    assert clean_phone("") == ""


@pytest.mark.parametrize("text", ["", "   ", "123", "x" * 121])
def test_a_name_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        clean_name(text)


@pytest.mark.parametrize("text", ["", "rosa", "rosa@", "rosa@correo", "a b@c.es"])
def test_an_email_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        clean_email(text)


@pytest.mark.parametrize("text", ["12", "seiscientos", "600x112233", "1" * 16, "++34600112233"])
def test_a_phone_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        clean_phone(text)


def test_nobody_is_added_to_a_team_of_others(cast: Cast) -> None:
    with pytest.raises(PermissionDenied):
        services.create_participant(
            employee=cast.stranger, team=cast.team, name="Rosa", email="rosa@example.org"
        )
    assert not Participant.objects.exists()


def test_only_team(cast: Cast) -> None:
    assert services.only_team(cast.owner) == cast.team
    cast.other_team.memberships.create(employee=cast.owner)
    with pytest.raises(ValidationError):
        services.only_team(cast.owner)


def test_a_change_is_an_interaction(cast: Cast, participant: Participant) -> None:
    before = participant.last_interaction_at
    services.update_participant(
        participant=participant, name="Fátima B.", email="f@example.org", phone="600 11 22 33"
    )
    participant.refresh_from_db()
    assert participant.phone == "600112233"
    assert participant.last_interaction_at > before


def test_consent_keeps_the_words_that_were_read(cast: Cast, participant: Participant) -> None:
    given = services.record_consent(
        participant=participant, employee=cast.owner, language="en", record=True, analyse=True
    )
    assert given.wording.startswith("We would like to record this conversation")
    assert "{" not in given.wording
    assert given.is_valid
    assert not given.share


def test_what_goes_outside_is_read_out_where_it_is_agreed(
    cast: Cast, participant: Participant
) -> None:
    given = services.record_consent(
        participant=participant,
        employee=cast.owner,
        language="es",
        record=True,
        analyse=True,
        external=True,
    )
    assert given.external
    assert "otra empresa" in given.wording
    assert "se le preguntará aparte" not in given.wording


@pytest.mark.parametrize("external", [False, True])
@pytest.mark.parametrize("language", [code for code, _ in consent.languages()])
def test_every_wording_says_as_much(language: str, external: bool) -> None:
    """A translation goes paragraph by paragraph."""
    text = consent.wording(language, organisation="Oficina", external=external)
    spanish = consent.wording("es", organisation="Oficina", external=external)
    assert text.count("\n\n") == spanish.count("\n\n")
    assert text.count("Oficina") == spanish.count("Oficina")
