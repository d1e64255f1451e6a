"""The page of those who coordinate."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.urls import reverse

from conftest import Cast
from portal.conversations.models import Conversation
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
