"""What holds for every transcription engine.

An engine's tests subclass this and give the fixtures ``engine`` (one that can be used),
``unusable`` (one that lacks what it needs) and ``speech`` (``tests/audio/dialogue.ogg``: two
people, eight turns).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle, groupby, pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from portal.engine import EngineError
from portal.speech.audio import decode
from portal.speech.engines.base import (
    Audio,
    Committed,
    Options,
    Partial,
    Relabelled,
    StreamEvent,
    Transcript,
    TranscriptionEngine,
    TranscriptStream,
    Turn,
    Voice,
    Word,
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


@dataclass
class Heard:
    """What a stream gave while it was fed."""

    turns: list[Turn] = field(default_factory=list)
    partials: list[str] = field(default_factory=list)

    def take(self, events: Sequence[StreamEvent], *, first: int = 0) -> None:
        """``first``: the number of the first turn of this stream."""
        for event in events:
            match event:
                case Committed(turns):
                    self.turns.extend(turns)
                case Relabelled(speakers):
                    for number, label in speakers.items():
                        turn = self.turns[number - first]
                        self.turns[number - first] = replace(turn, speaker=label)
                case Partial(text):
                    self.partials.append(text)

    @property
    def words(self) -> list[Word]:
        return [word for turn in self.turns for word in turn.words]

    @property
    def text(self) -> str:
        return " ".join(turn.text for turn in self.turns).casefold()

    @property
    def speakers(self) -> list[str]:
        """Of one turn after the other, those of the same speaker taken as one."""
        return [label for label, _ in groupby(turn.speaker for turn in self.turns)]


RATE = 16_000
ODD_SIZES = (4_000, 1, 511, 8_000, 4_001, 32_000, 512, 1_300)


def fed(
    stream: TranscriptStream, samples: NDArray[np.float32], heard: Heard, *, first: int = 0
) -> None:
    """Feed ``samples`` in pieces of odd sizes, looking at the promises on the way."""
    sizes, position = cycle(ODD_SIZES), 0
    while position < len(samples):
        before, size = list(heard.turns), next(sizes)
        until = stream.committed_until
        heard.take(stream.feed(samples[position : position + size]), first=first)
        position += size
        assert until <= stream.committed_until
        # Only the speaker of what was committed may change.
        assert [turn.words for turn in before] == [t.words for t in heard.turns[: len(before)]]


class TranscriptStreamContract:
    """What holds for every engine that ``supports_streaming``: the same fixtures ``engine`` and
    ``speech``."""

    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls) -> TranscriptionEngine:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls) -> Path:
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def sound(cls, speech: Path) -> NDArray[np.float32]:
        return np.concatenate([block[0] for block in decode(speech)])

    @pytest.fixture(scope="class")
    @classmethod
    def heard(cls, engine: TranscriptionEngine, sound: NDArray[np.float32]) -> Heard:
        heard = Heard()
        stream = engine.stream(options=Options(language="es"), room=lambda: True)
        fed(stream, sound, heard)
        heard.take(stream.close())
        assert stream.committed_until == pytest.approx(len(sound) / RATE)
        assert stream.close() == []
        return heard

    def test_names_its_model(self, engine: TranscriptionEngine) -> None:
        assert engine.supports_streaming
        assert engine.stream(options=Options()).model

    def test_hears_while_it_is_fed(self, heard: Heard) -> None:
        assert "colombia" in heard.text and "estación" in heard.text
        assert len(heard.turns) >= 8

    def test_turns_and_words_are_in_order_and_within_the_audio(
        self, heard: Heard, sound: NDArray[np.float32]
    ) -> None:
        assert all(one.end <= other.start for one, other in pairwise(heard.words))
        assert all(0 <= word.start <= word.end <= len(sound) / RATE for word in heard.words)
        for turn in heard.turns:
            assert turn.text == " ".join(word.text for word in turn.words) != ""
            assert turn.start <= turn.words[0].start and turn.words[-1].end <= turn.end

    def test_nothing_is_said_twice(self, heard: Heard) -> None:
        assert heard.text.count("colombia") == heard.text.count("estación") == 1

    def test_speakers_are_told_apart_by_the_end(self, heard: Heard) -> None:
        assert heard.speakers == ["S1", "S2"] * 4

    def test_a_preview_is_cleared_when_its_words_are_committed(self, heard: Heard) -> None:
        assert any(heard.partials) and heard.partials[-1] == ""

    def test_without_room_there_is_no_preview(
        self, engine: TranscriptionEngine, sound: NDArray[np.float32]
    ) -> None:
        heard = Heard()
        stream = engine.stream(options=Options(language="es"), room=lambda: False)
        fed(stream, sound[: 6 * RATE], heard)
        heard.take(stream.close())
        assert heard.turns and heard.partials == []

    def test_a_cut_commits_what_was_said(
        self, engine: TranscriptionEngine, sound: NDArray[np.float32]
    ) -> None:
        stream, heard = engine.stream(options=Options(language="es")), Heard()
        fed(stream, sound[: 4 * RATE], heard)  # in the middle of a sentence
        heard.take(stream.cut())
        assert heard.turns[-1].end > 3.5
        assert stream.committed_until == pytest.approx(4.0)
        fed(stream, sound[10 * RATE : 13 * RATE], heard)
        heard.take(stream.close())
        assert heard.turns[-1].start >= 4.0
        assert heard.turns[-1].end <= 7.0

    def test_a_stream_goes_on_where_another_broke_off(
        self, engine: TranscriptionEngine, sound: NDArray[np.float32]
    ) -> None:
        options = Options(language="es")
        broken, heard = engine.stream(options=options), Heard()
        fed(broken, sound[: 16 * RATE], heard)  # and then no close: it crashed
        until, voices = broken.committed_until, json.loads(json.dumps(dict(broken.voices)))
        count = len(heard.turns)
        assert count and until <= 16
        stream = engine.stream(options=options, start=until, turns=count, voices=voices)
        fed(stream, sound[int(until * RATE) :], heard)
        heard.take(stream.close())
        assert heard.turns[count].start >= heard.turns[count - 1].end
        assert heard.text.count("colombia") == heard.text.count("estación") == 1
        assert heard.speakers == ["S1", "S2"] * 4

    def test_voice_samples_name_the_speakers(
        self, engine: TranscriptionEngine, sound: NDArray[np.float32]
    ) -> None:
        voices = (
            Voice("usuario", sound[int(5.6 * RATE) : int(10.0 * RATE)]),
            Voice("empleado", sound[int(0.5 * RATE) : int(5.1 * RATE)]),
        )
        stream, heard = engine.stream(options=Options(language="es", voices=voices)), Heard()
        assert set(stream.voices) == {"empleado", "usuario"}
        fed(stream, sound, heard)
        heard.take(stream.close())
        assert heard.speakers == ["empleado", "usuario"] * 4

    def test_silence_says_nothing(self, engine: TranscriptionEngine) -> None:
        stream, heard = engine.stream(options=Options(language="es"), room=lambda: True), Heard()
        fed(stream, np.zeros(5 * RATE, np.float32), heard)
        assert stream.committed_until > 4.0  # what is silent needs no second look
        heard.take(stream.close())
        assert heard == Heard()
