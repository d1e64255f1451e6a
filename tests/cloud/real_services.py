"""The contracts of transcription and of analysis against the real services: `make test-cloud`.

Costs money, cents, and sends out the test conversations, which are invented. Each service is
asked only where its variables are set (docs/engines.md); AWS takes the credentials of the machine.
Not named like a test, so that nothing else runs it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from portal.accounts import engines
from portal.analysis import engines as analysis
from portal.analysis.engines.base import Turn
from portal.analysis.engines.llm import LlmEngine
from portal.engine import metered
from portal.speech.engines import get_engine
from portal.speech.engines.base import TranscriptionEngine
from tests.contracts.analysis import HOSTILE, QUESTIONS, TALK, check_evidence
from tests.contracts.transcription import TranscriptionEngineContract, TranscriptStreamContract

DIALOGUE = Path(__file__).parents[1] / "audio" / "dialogue.ogg"


def real(name: str) -> TranscriptionEngine:
    engine = get_engine(name, **engines.options()[name])
    for problem in engine.check():
        pytest.skip(f"{problem.message} {problem.hint}")
    return engine


class _Real:
    service: str

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> TranscriptionEngine:
        return real(cls.service)

    @pytest.fixture(scope="class")
    @classmethod
    def unusable(cls) -> TranscriptionEngine:
        return get_engine(cls.service)

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls) -> Path:
        return DIALOGUE


class TestAWS(_Real, TranscriptionEngineContract):
    service = "aws"


class TestDeepgram(_Real, TranscriptionEngineContract):
    service = "deepgram"


class TestOpenAI(_Real, TranscriptionEngineContract):
    service = "openai"


class TestAWSLive(_Real, TranscriptStreamContract):
    service = "aws"


class TestDeepgramLive(_Real, TranscriptStreamContract):
    service = "deepgram"


@pytest.fixture(scope="module")
def model() -> LlmEngine:
    """That of ``PORTAL_LLM_MODEL``."""
    engine = analysis.get_engine("llm", **engines.analysis_options()["llm"])
    assert isinstance(engine, LlmEngine)
    for problem in engine.check():
        pytest.skip(f"{problem.message} {problem.hint}")
    return engine


class TestLanguageModel:
    """A few requests, not the whole contract: that asks for hours of talk, and some of what it
    expects is understanding, of which models differ."""

    def test_a_ficha_in_one_request(self, model: LlmEngine) -> None:
        with metered() as used:
            findings = model.assess(TALK, QUESTIONS)
            described = model.describe(TALK)
        assert [finding.question_id for finding in findings] == [q.id for q in QUESTIONS]
        for finding in findings:
            check_evidence(TALK, finding.evidence)
        assert (findings[0].state, findings[1].state) == ("unasked", "answered")
        assert described.title and described.summary
        assert len(used) <= 2  # the second where it was told that a quote is not there
        assert all(usage.tokens_in and usage.tokens_out for usage in used)

    def test_a_recording_that_goes_on(self, model: LlmEngine) -> None:
        findings = {found.question_id: found for found in model.assess_live(TALK[:4], QUESTIONS)}
        assert findings["empadronamiento"].state == "answered"
        check_evidence(TALK, findings["empadronamiento"].evidence)

    def test_a_free_question_in_pieces(self, model: LlmEngine) -> None:
        *pieces, reply = model.ask_stream(TALK, "¿En qué calle está empadronada?")
        assert not isinstance(reply, str) and reply.found and "Luna" in reply.answer
        assert pieces
        check_evidence(TALK, reply.evidence)

    def test_what_nobody_said_is_not_answered(self, model: LlmEngine) -> None:
        assert not model.ask(TALK, "¿Qué medicación toma para la diabetes?").found

    def test_orders_in_a_talk_are_not_followed(self, model: LlmEngine) -> None:
        talk = (*TALK, Turn("usuario", HOSTILE[0]), Turn("usuario", HOSTILE[2]))
        assert model.assess(talk, QUESTIONS)[0].state == "unasked"
        assert "PWNED" not in model.describe(talk).title
