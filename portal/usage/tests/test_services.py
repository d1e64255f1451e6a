"""What is charged, to whom, and at which price."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from conftest import Cast
from portal.engine import Usage, used
from portal.environment import Environment, Price
from portal.usage import queries, services
from portal.usage.models import Charge

pytestmark = pytest.mark.django_db

READ = Usage("llm", "m", requests=1, tokens_in=1_000_000, tokens_out=100_000, tokens_cached=400_000)


@pytest.fixture(autouse=True)
def prices(settings: Any) -> None:
    prices = {
        "llm/m": Price(input=Decimal(2), cached=Decimal("0.5"), output=Decimal(8)),
        "llm": Price(input=Decimal(1)),
        "deepgram": Price(minute=Decimal("0.006")),
    }
    settings.ENV = settings.ENV.model_copy(update={"prices": prices})


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (READ, Decimal("2.2")),  # 0.6 x 2 + 0.4 x 0.5 + 0.1 x 8
        (Usage("llm", "other", tokens_in=1_000_000, tokens_cached=500_000), Decimal(1)),
        (Usage("deepgram", "nova", seconds=600), Decimal("0.06")),
        (Usage("local", "base", seconds=600), Decimal(0)),
        (Usage("aws", "standard", seconds=600), None),
    ],
)
def test_prices(usage: Usage, cost: Decimal | None) -> None:
    assert services.cost_of(usage) == cost


def test_one_row_an_engine_and_model_also_when_it_fails(cast: Cast) -> None:
    with pytest.raises(RuntimeError), services.charging(team=cast.team):
        used(READ)
        used(READ)
        used(Usage("aws", "standard", seconds=61.5, requests=1))
        raise RuntimeError
    aws, llm = Charge.objects.order_by("engine")
    assert (aws.seconds, aws.cost) == (61.5, None)
    assert (llm.requests, llm.tokens_in, llm.tokens_cached) == (2, 2_000_000, 800_000)
    assert llm.cost == Decimal("4.4")


def test_nothing_used_nothing_charged(cast: Cast) -> None:
    with services.charging(team=cast.team):
        pass
    used(READ)  # nobody asks
    assert not Charge.objects.exists()


def test_a_cap_is_reached_by_this_months_charges_of_the_team(cast: Cast) -> None:
    services.charge(team=cast.team, used=[READ])
    services.charge(team=cast.other_team, used=[READ])
    assert queries.spent(cast.team) == Decimal("2.2")
    assert not queries.is_spent(cast.team)  # without a cap, never
    cast.team.monthly_cap = Decimal("2.2")
    assert queries.is_spent(cast.team)
    month_ago = timezone.now() - timedelta(days=32)
    Charge.objects.filter(team=cast.team).update(charged_at=month_ago)
    assert not queries.is_spent(cast.team)


def test_coordinators_see_their_teams(cast: Cast) -> None:
    services.charge(team=cast.team, used=[READ])
    assert queries.visible_to(cast.coordinator).count() == 1
    for employee in (cast.owner, cast.stranger):
        assert not queries.visible_to(employee).exists()


def test_the_price_table_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORTAL_PRICES", '{"llm/m": {"input": 0.4, "output": "1.6"}}')
    price = Environment().prices["llm/m"]
    assert (price.input, price.cached, price.output) == (Decimal("0.4"), None, Decimal("1.6"))
