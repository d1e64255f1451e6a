"""The page of those who coordinate."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from conftest import Cast
from portal.accounts import engines as accounts
from portal.conversations.models import Conversation
from portal.conversations.tests.test_views import add_steps, make
from portal.engine import Usage
from portal.participants.models import Consent
from portal.usage.models import Charge
from portal.usage.services import charge

pytestmark = pytest.mark.django_db


@pytest.fixture
def charged(cast: Cast, consent: Consent) -> Charge:
    conversation = Conversation.objects.create(
        participant=consent.participant,
        consent=consent,
        created_by=cast.owner,
        engine="local",
        title="<b>Padrón</b> y comida",
    )
    usage = Usage("llm", "modelo-grande", requests=3, tokens_in=12_345, tokens_cached=5_000)
    [made] = charge(team=cast.team, conversation=conversation, used=[usage])
    return made


def read(cast: Cast, who: str, address: str = "usage:month", **query: str) -> str:
    client = cast.client(getattr(cast, who))
    return client.get(reverse(address), query).content.decode()


def test_a_coordinator_sees_engines_and_conversations(cast: Cast, charged: Charge) -> None:
    page = read(cast, "coordinator")
    assert "modelo-grande" in page and "12\xa0345" in page and "sin precio" in page
    assert "&lt;b&gt;Padrón&lt;/b&gt; y comida" in page
    assert "Sin máximo al mes" in page
    Charge.objects.update(cost=Decimal("1.5"))
    cast.team.monthly_cap = Decimal(20)
    cast.team.save()
    page = read(cast, "coordinator")
    assert "1,50 EUR de un máximo de 20,00 EUR" in page
    assert "Consumo de mis equipos" in read(cast, "coordinator", "profile")


@pytest.mark.parametrize("who", ["owner", "stranger"])
def test_nobody_else_sees_anything(cast: Cast, charged: Charge, who: str) -> None:
    page = read(cast, who)
    assert "modelo-grande" not in page and "no coordina" in page
    assert "Consumo de mis equipos" not in read(cast, who, "profile")


@pytest.mark.parametrize("month", ["2020-01", "9999-12", "0001-01", "ayer", "0000-00", ""])
def test_any_month(cast: Cast, charged: Charge, month: str) -> None:
    page = read(cast, "coordinator", mes=month)
    assert ("modelo-grande" in page) == (month not in ("2020-01", "0001-01"))


def test_what_was_used_outlives_its_conversation(cast: Cast, charged: Charge) -> None:
    Conversation.objects.all().delete()
    charged.refresh_from_db()
    assert charged.conversation is None
    page = read(cast, "coordinator")
    assert "modelo-grande" in page and "Padrón" not in page


def test_who_went_to_another_team_is_not_named(cast: Cast, charged: Charge) -> None:
    assert "Fátima Belkacem" in read(cast, "coordinator")
    conversation = Conversation.objects.get()
    conversation.participant.team = cast.other_team
    conversation.participant.save()
    page = read(cast, "coordinator")
    assert page.count("modelo-grande") == 2 and page.count("12\xa0345") == 2
    assert "De una persona que ahora lleva otro equipo" in page
    for told in ("Padrón", "Fátima", str(conversation.pk)):
        assert told not in page


@pytest.mark.parametrize("page", ["subir", "grabar"])
def test_where_an_engine_is_chosen_a_spent_month_is_said(
    cast: Cast, consent: Consent, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    consent.external = True
    consent.save()
    cast.team.monthly_cap = Decimal(0)
    cast.team.save()
    address = f"/personas/{consent.participant.pk}/{page}/"

    def shown(*engines: str) -> str:
        monkeypatch.setattr(accounts, "choices", lambda: [(name, name) for name in engines])
        return cast.client(cast.owner).get(address).content.decode()

    assert "gasto máximo" in shown("nube", "local")
    assert "gasto máximo" not in shown("local")
    cast.team.monthly_cap = None
    cast.team.save()
    assert "gasto máximo" not in shown("nube", "local")


def test_where_it_is_tried_again_too(
    cast: Cast, consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "choices", lambda: [("nube", "Fuera"), ("local", "Aquí")])
    consent.external = True
    consent.save()
    cast.team.monthly_cap = Decimal(0)
    cast.team.save()
    add_steps(make(consent, cast, status="failed"), transcribe=("failed", "No ha podido."))
    page = cast.client(cast.owner).get(f"/personas/{consent.participant.pk}/").content.decode()
    assert "se transcribe en este equipo" in page
