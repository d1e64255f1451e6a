"""Whose engine reads what a person says, and why it is that one."""

from __future__ import annotations

from decimal import Decimal
from threading import Thread
from typing import Any

import pytest
from django.utils import timezone

from portal.analysis.engines.base import Reply, Turn
from portal.analysis.engines.choosing import Done
from portal.engine import Usage
from portal.environment import Price
from portal.participants.models import Consent
from portal.usage import services
from portal.usage.analysing import for_participant
from portal.usage.models import Charge
from tests.contracts.analysis import TALK
from tests.servers.openai_server import OpenAIServer

pytestmark = pytest.mark.django_db

QUESTION = "¿En qué calle está empadronada?"


def names(consent: Consent) -> tuple[list[str], str]:
    analysis = for_participant(consent.participant, consent=consent)
    return [engine.name for engine in analysis.engines], analysis.because


def test_the_teams_engine_first(consent: Consent, server: OpenAIServer) -> None:
    assert names(consent) == (["llm", "extractive"], "")
    consent.participant.team.analysis_engine = "extractive"
    assert names(consent) == (["extractive"], "")


def test_nothing_leaves_against_the_persons_will(consent: Consent, server: OpenAIServer) -> None:
    consent.external = False
    consent.save()
    engines, because = names(consent)
    assert engines == ["extractive"] and "no ha aceptado" in because
    consent.external = True
    consent.withdrawn_at = timezone.now()
    consent.save()
    assert names(consent)[0] == ["extractive"]


def test_nothing_leaves_against_the_teams_will(consent: Consent, server: OpenAIServer) -> None:
    consent.participant.team.external_services = False
    engines, because = names(consent)
    assert engines == ["extractive"] and "no usa servicios externos" in because


def test_a_server_of_ones_own_is_not_outside(
    consent: Consent, server: OpenAIServer, settings: Any
) -> None:
    settings.ENV = settings.ENV.model_copy(update={"llm_inside": True})
    consent.external = False
    consent.save()
    assert names(consent) == (["llm", "extractive"], "")


def test_without_a_model_it_says_so(consent: Consent) -> None:
    engines, because = names(consent)
    assert engines == ["extractive"] and "modelo de lenguaje" in because
    consent.participant.team.analysis_engine = "antiguo"
    engines, because = names(consent)
    assert engines == ["extractive"] and "ya no tiene" in because


def test_a_spent_month_is_done_here(consent: Consent, server: OpenAIServer, settings: Any) -> None:
    settings.ENV = settings.ENV.model_copy(update={"prices": {"llm": Price(input=Decimal(1))}})
    team = consent.participant.team
    team.monthly_cap = Decimal("0.5")
    assert names(consent)[0] == ["llm", "extractive"]
    services.charge(team=team, used=[Usage("llm", "m", tokens_in=500_000)])
    engines, because = names(consent)
    assert engines == ["extractive"] and "gasto máximo" in because


def test_a_server_outside_is_not_told_who_it_is_about(
    consent: Consent, server: OpenAIServer, settings: Any
) -> None:
    talk = [Turn("empleado", "Buenos días, Fátima Belkacem."), *TALK[1:]]
    analysis = for_participant(consent.participant, consent=consent)
    assert analysis.do(lambda engine: engine.ask(talk, QUESTION)).value.found
    assert "Belkacem" not in server.prompts[0] and "Luna" not in server.prompts[0]
    settings.ENV = settings.ENV.model_copy(update={"llm_inside": True})
    analysis = for_participant(consent.participant, consent=consent)
    assert analysis.do(lambda engine: engine.ask(talk, QUESTION)).value.found
    assert "Belkacem" in server.prompts[-1]


def test_an_answer_comes_in_pieces_and_is_charged(consent: Consent, server: OpenAIServer) -> None:
    analysis = for_participant(consent.participant, consent=consent)
    *pieces, done = analysis.ask(TALK, QUESTION)
    assert isinstance(done, Done) and isinstance(done.value, Reply) and done.value.found
    assert "".join(map(str, pieces)) == done.value.answer
    [charge] = Charge.objects.all()
    assert (charge.team, charge.engine, charge.requests) == (analysis.team, "llm", 1)
    assert charge.tokens_in == server.tokens_in


@pytest.mark.django_db(transaction=True)
def test_its_pieces_may_be_taken_by_several_threads(consent: Consent, server: OpenAIServer) -> None:
    from django.db import connection

    answer = for_participant(consent.participant, consent=consent).ask(TALK, QUESTION)
    taken: list[Any] = []

    def take() -> None:
        taken.append(next(answer, None))
        connection.close()

    while not taken or taken[-1] is not None:
        thread = Thread(target=take)
        thread.start()
        thread.join()
    assert isinstance(taken[-2], Done)
    assert Charge.objects.get().tokens_in == server.tokens_in
