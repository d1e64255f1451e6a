"""Moments to review in a real recording, as it is and with faults planted in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from portal.speech import quality, vad
from portal.speech.audio import SAMPLE_RATE, Samples, decode
from portal.speech.engines.base import Audio, Options, Transcript, Turn, Word
from portal.speech.engines.local import LocalEngine

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def heard(local: LocalEngine, dialogue: Path) -> Transcript:
    return local.transcribe(Audio(dialogue), options=Options(language="es"))


@pytest.fixture(scope="module")
def sound(dialogue: Path) -> Samples:
    return np.concatenate(list(decode(dialogue)), axis=1)


def kinds(turns: Sequence[Turn], voice: bytes) -> list[tuple[str, int | None]]:
    found = quality.moments(turns, vad.unpacked(voice), language="es")
    return [(moment.kind, moment.turn) for moment in found]


def test_the_engine_tells_where_it_heard_a_voice(heard: Transcript, sound: Samples) -> None:
    told, listened = vad.unpacked(heard.voice), vad.activity([sound])
    length = min(len(told), len(listened))
    assert length == pytest.approx(heard.duration * quality.STEPS_PER_SECOND, abs=2)
    assert np.abs(told[:length] - listened[:length]).max() < 0.01


def test_it_says_the_same_in_blocks(sound: Samples) -> None:
    blocks = np.array_split(sound, [7, 16_000, 16_511, 200_000], axis=1)
    assert np.allclose(vad.activity(blocks), vad.activity([sound]), atol=1e-4)
    assert len(vad.activity([])) == 0


def test_a_clear_recording_has_few(heard: Transcript) -> None:
    found = kinds(heard.turns, heard.voice)
    assert len(found) <= 2
    assert not {"missed", "silence", "loop", "overlap", "gap"} & {kind for kind, _ in found}


def test_a_turn_that_was_left_out(heard: Transcript) -> None:
    for number, turn in enumerate(heard.turns):
        if turn.end - turn.start > 2.5:
            rest = [*heard.turns[:number], *heard.turns[number + 1 :]]
            assert ("missed", None) in kinds(rest, heard.voice)


def test_text_under_which_there_is_no_voice(heard: Transcript, sound: Samples) -> None:
    for number, turn in enumerate(heard.turns):
        silent = sound.copy()
        low, high = (int(at * SAMPLE_RATE) for at in (turn.start - 0.4, turn.end + 0.4))
        # A room that is never quite silent.
        noise = np.random.default_rng(3).normal(0, 0.001, silent[:, max(0, low) : high].shape)
        silent[:, max(0, low) : high] = noise
        voice = vad.packed(vad.activity([silent]))
        assert ("silence", number) in kinds(heard.turns, voice), number


def test_words_that_are_said_again_and_again(heard: Transcript) -> None:
    turn = heard.turns[1]
    said = turn.words[:4]
    length = said[-1].end - said[0].start
    again = tuple(replace(word, start=word.start + length, end=word.end + length) for word in said)
    looping = with_words(turn, [*said, *again])
    assert ("loop", 1) in kinds([heard.turns[0], looping, *heard.turns[2:]], heard.voice)


def test_a_name_that_was_hardly_heard(heard: Transcript) -> None:
    number, turn = next((i, t) for i, t in enumerate(heard.turns) if "Colombia" in t.text)
    words = [
        replace(word, probability=0.2 if "Colombia" in word.text else word.probability)
        for word in turn.words
    ]
    turns = [*heard.turns[:number], with_words(turn, words), *heard.turns[number + 1 :]]
    assert ("name", number) in kinds(turns, heard.voice)


def with_words(turn: Turn, words: Sequence[Word]) -> Turn:
    text = " ".join(word.text for word in words)
    return replace(turn, words=tuple(words), text=text, end=words[-1].end)
