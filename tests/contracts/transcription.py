"""What holds for every transcription engine.

An engine's tests subclass this and give the fixtures ``engine`` (one that can be used),
``unusable`` (one that lacks what it needs) and ``speech`` (``tests/audio/dialogue.ogg``: two
people, eight turns).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest

from portal.engine import EngineError
from portal.speech.engines.base import (
    Audio,
    Options,
    Transcript,
    TranscriptionEngine,
)


@dataclass(frozen=True)
class Run:
    """One transcription, shared by the tests of a class: it is what takes time."""

    transcript: Transcript
    progress: list[float] = field(default_factory=list)


class TranscriptionEngineContract:
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> TranscriptionEngine:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def unusable(cls) -> TranscriptionEngine:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls) -> Path:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def run(cls, engine: TranscriptionEngine, speech: Path) -> Run:
        progress: list[float] = []
        wanted = Options(language="es", speakers=2)
        transcript = engine.transcribe(Audio(speech), options=wanted, progress=progress.append)
        return Run(transcript, progress)

    def test_has_a_stable_name(self, engine: TranscriptionEngine, run: Run) -> None:
        assert engine.name.islower() and engine.name.isidentifier()
        assert run.transcript.engine == engine.name
        assert run.transcript.model

    def test_can_be_used(self, engine: TranscriptionEngine) -> None:
        assert engine.check() == []

    def test_says_what_is_missing_and_how_to_mend_it(self, unusable: TranscriptionEngine) -> None:
        problems = unusable.check()
        assert problems
        assert all(problem.message and problem.hint for problem in problems)

    def test_missing_parts_are_an_engine_error(
        self, unusable: TranscriptionEngine, speech: Path
    ) -> None:
        with pytest.raises(EngineError) as caught:
            unusable.transcribe(Audio(speech), options=Options())
        assert caught.value.public_message

    def test_hears_words(self, run: Run) -> None:
        text = " ".join(turn.text for turn in run.transcript.turns).casefold()
        assert "colombia" in text and "estación" in text
        assert run.transcript.language == "es"

    def test_turns_are_in_order_and_within_the_audio(self, run: Run) -> None:
        starts = [turn.start for turn in run.transcript.turns]
        assert starts == sorted(starts)
        assert all(
            0 <= turn.start <= turn.end <= run.transcript.duration for turn in run.transcript.turns
        )

    def test_text_is_the_words(self, run: Run) -> None:
        for turn in run.transcript.turns:
            assert turn.text == " ".join(word.text for word in turn.words)
            assert turn.text == turn.text.strip() != ""

    def test_words_are_timed(self, run: Run) -> None:
        words = [word for turn in run.transcript.turns for word in turn.words]
        assert all(word.start <= word.end and 0 <= word.probability <= 1 for word in words)
        assert all(one.start <= other.start for one, other in pairwise(words))

    def test_tells_two_speakers_apart(self, engine: TranscriptionEngine, run: Run) -> None:
        if not engine.supports_diarization:
            pytest.skip("this engine does not tell speakers apart")
        speakers = [turn.speaker for turn in run.transcript.turns]
        assert speakers == ["S1", "S2"] * 4

    def test_progress_never_falls_and_ends_at_one(self, run: Run) -> None:
        assert run.progress == sorted(run.progress)
        assert run.progress[-1] == 1.0
        assert all(0 <= share <= 1 for share in run.progress)

    def test_what_is_not_audio_is_an_engine_error(
        self, engine: TranscriptionEngine, tmp_path: Path
    ) -> None:
        page = tmp_path / "page.wav"
        page.write_text("<html>no es un audio</html>")
        with pytest.raises(EngineError) as caught:
            engine.transcribe(Audio(page), options=Options())
        assert not caught.value.retryable
        assert caught.value.public_message
