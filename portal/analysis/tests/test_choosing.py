"""Who does the work when the one who should cannot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.analysis.engines.base import Reply
from portal.analysis.engines.choosing import Done, ask_first_able, first_able
from portal.analysis.engines.extractive import ExtractiveEngine
from portal.analysis.engines.llm import LlmEngine
from portal.analysis.llm.breaker import Breaker
from portal.analysis.llm.endpoint import Endpoint
from portal.analysis.llm.prompts import VERSION
from portal.engine import EngineError
from tests.contracts.analysis import QUESTIONS, TALK
from tests.servers.brains import Reader
from tests.servers.openai_server import OpenAIServer, serve

QUESTION = "¿En qué calle está empadronada?"


@pytest.fixture(scope="module")
def local() -> ExtractiveEngine:
    return ExtractiveEngine()


@pytest.fixture
def server(local: ExtractiveEngine) -> Iterator[OpenAIServer]:
    with serve(Reader(local)) as server:
        yield server


@pytest.fixture
def llm(server: OpenAIServer) -> LlmEngine:
    return LlmEngine(Endpoint(server.model, server.url, server.api_key, retries=0))


def test_the_first_that_is_able(
    llm: LlmEngine, local: ExtractiveEngine, server: OpenAIServer
) -> None:
    done = first_able((llm, local), lambda engine: engine.assess(TALK, QUESTIONS))
    assert (done.engine, done.model, done.because) == (
        "llm",
        f"{server.model} · prompts {VERSION}",
        "",
    )
    server.faults.fail = [500]
    done = first_able((llm, local), lambda engine: engine.assess(TALK, QUESTIONS))
    assert (done.engine, done.model) == ("extractive", local.model)
    assert done.value[1].state == "answered" and "modelo de lenguaje" in done.because


def test_what_no_one_is_able_to_do_fails(llm: LlmEngine, server: OpenAIServer) -> None:
    server.faults.fail = [500] * 2
    with pytest.raises(EngineError):
        first_able((llm,), lambda engine: engine.describe(TALK))
    with pytest.raises(EngineError):
        list(ask_first_able((llm,), TALK, QUESTION))


def test_an_answer_in_pieces_from_either(
    llm: LlmEngine, local: ExtractiveEngine, server: OpenAIServer
) -> None:
    *pieces, done = ask_first_able((llm, local), TALK, QUESTION)
    assert isinstance(done, Done) and done.engine == "llm" and len(pieces) > 1
    server.faults.cut = True
    *pieces, done = ask_first_able((llm, local), TALK, QUESTION)
    assert isinstance(done, Done) and isinstance(done.value, Reply)
    assert done.engine == "extractive" and done.because
    assert pieces[-1] == done.value.answer and "Luna" in done.value.answer


def test_a_server_that_comes_back_is_used_again(
    server: OpenAIServer, local: ExtractiveEngine
) -> None:
    now = [0.0]
    breaker = Breaker(clock=lambda: now[0])
    endpoint = Endpoint(server.model, server.url, server.api_key, retries=0)
    engines = (LlmEngine(endpoint, breaker=breaker), local)
    server.faults.fail = [500] * 4

    def by() -> str:
        return first_able(engines, lambda engine: engine.describe(TALK)).engine

    assert [by() for _ in range(5)] == ["extractive"] * 5
    assert len(server.requests) == 3
    now[0] = 61.0
    assert [by(), by()] == ["extractive"] * 2  # one tried, and it was still down
    assert len(server.requests) == 4
    now[0] = 122.0
    assert [by(), by()] == ["llm"] * 2


@given(st.lists(st.tuples(st.floats(0, 100), st.booleans()), max_size=40))
def test_a_breaker_lets_few_through_while_all_fails(calls: list[tuple[float, bool]]) -> None:
    now, failed, last = 0.0, 0, float("-inf")
    breaker = Breaker(failures=3, rest=60.0, clock=lambda: now)
    for pause, well in calls:
        now += pause
        may = breaker.may_try()
        assert may == (failed < 3 or now - last >= 60.0)
        if not may:
            continue
        if well:
            breaker.succeeded()
            failed = 0
        else:
            breaker.failed()
            failed, last = failed + 1, now
    assert breaker.is_open == (failed >= 3 and now - last < 60.0)
