from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portal.speech.audio import SAMPLE_RATE, Samples, decode
from portal.speech.diarization import VoiceTimeline, cluster_centres, decide
from portal.speech.embeddings import FilterbankEncoder, SpeakerEncoder, VoiceEncoder, fbank, unit
from portal.speech.engines.base import Word
from portal.speech.models import speaker_model
from portal.speech.vad import speech_probability, speech_stretches


@pytest.fixture(scope="module")
def encoder(models_dir: Path) -> SpeakerEncoder:
    path = speaker_model(models_dir)
    assert path is not None, "run `make setup`"
    return SpeakerEncoder(path)


def word(start: float, text: str = "sí", length: float = 0.3) -> Word:
    return Word(text, start, start + length, 0.9)


def reference_words(path: Path) -> tuple[list[Word], list[str]]:
    """Words at even distances in each turn of the reference, with who says them."""
    words, speakers = [], []
    for turn in json.loads(path.with_suffix(".json").read_text())["turns"]:
        texts = turn["text"].split()
        step = (turn["end"] - turn["start"]) / len(texts)
        for i, text in enumerate(texts):
            words.append(word(turn["start"] + i * step, text, step))
            speakers.append(turn["speaker"])
    return words, speakers


DEMO = Path(__file__).resolve().parents[3] / "demo" / "audio"


def spoken_turns(name: str) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = json.loads((DEMO / f"{name}.json").read_text())["turns"]
    return turns


@cache
def heard(path: Path) -> Samples:
    return np.concatenate([block[0] for block in decode(path)])


def labels_of(path: Path, encoder: VoiceEncoder, words: list[Word]) -> list[int]:
    return told_apart(heard(path), encoder, words, speakers=2)


def told_apart(
    samples: Samples, encoder: VoiceEncoder, words: list[Word], *, speakers: int
) -> list[int]:
    stretches = speech_stretches(
        speech_probability(samples), length=len(samples), min_silence=0.25, pad=0.05
    )
    timeline = VoiceTimeline(encoder)
    timeline.add(samples, stretches, offset=0.0)
    return timeline.speakers_of(words, speakers=speakers)


@pytest.mark.model
@pytest.mark.parametrize("name", ["dialogue.ogg", "participant_first.ogg"])
def test_two_voices_are_told_apart(name: str, dialogue: Path, encoder: SpeakerEncoder) -> None:
    words, speakers = reference_words(dialogue.with_name(name))
    first = speakers[0]
    expected = [int(speaker != first) for speaker in speakers]
    got = labels_of(dialogue.with_name(name), encoder, words)
    assert np.mean(np.array(got) == np.array(expected)) > 0.95


@pytest.mark.model
def test_three_voices_are_told_apart_when_asked_for(encoder: SpeakerEncoder) -> None:
    """As with an interpreter: a conversation into which somebody of another one speaks."""
    cuts = [("manuel", turn) for turn in spoken_turns("manuel")[:12]]
    others = [("salma", turn) for turn in spoken_turns("salma")[:16:2]]
    order = [*cuts[:2], others[0], *cuts[2:4], others[1], *cuts[4:], *others[2:]]
    words, speakers, sound, at = [], [], [], 0.0
    for name, turn in order:
        recording = heard(DEMO / f"{name}.ogg")
        cut = recording[int(turn["start"] * SAMPLE_RATE) : int(turn["end"] * SAMPLE_RATE)]
        texts = turn["text"].split()
        step = len(cut) / SAMPLE_RATE / len(texts)
        words += [word(at + i * step, text, step) for i, text in enumerate(texts)]
        speakers += [f"{name}'s {turn['speaker']}"] * len(texts)
        sound += [cut, np.zeros(SAMPLE_RATE // 2, np.float32)]
        at += len(cut) / SAMPLE_RATE + 0.5
    numbers = list(dict.fromkeys(speakers))
    assert len(numbers) == 3
    expected = [numbers.index(who) for who in speakers]
    got = told_apart(np.concatenate(sound), encoder, words, speakers=3)
    assert np.mean(np.array(got) == np.array(expected)) > 0.95


@pytest.mark.model
def test_one_voice_is_not_split(dialogue: Path, encoder: SpeakerEncoder) -> None:
    words, _ = reference_words(dialogue.with_name("monologue.ogg"))
    assert set(labels_of(dialogue.with_name("monologue.ogg"), encoder, words)) == {0}


@pytest.mark.model
def test_without_a_model_most_words_are_still_right(dialogue: Path) -> None:
    words, speakers = reference_words(dialogue)
    expected = [int(speaker != speakers[0]) for speaker in speakers]
    got = labels_of(dialogue, FilterbankEncoder(), words)
    assert np.mean(np.array(got) == np.array(expected)) > 0.75


@pytest.mark.model
def test_a_window_hears_only_its_own_second(encoder: SpeakerEncoder) -> None:
    rng = np.random.default_rng(3)
    samples = rng.normal(0, 0.05, 10 * SAMPLE_RATE).astype(np.float32)
    changed = samples.copy()
    changed[8 * SAMPLE_RATE :] = 0.2 * np.sin(np.arange(2 * SAMPLE_RATE) / 9)
    middles, one = encoder.embed(samples, window=1.0, hop=0.25)
    _, other = encoder.embed(changed, window=1.0, hop=0.25)
    assert middles[0] == pytest.approx(0.5) and middles[-1] == pytest.approx(9.5, abs=0.05)
    alike = (unit(one) * unit(other)).sum(axis=1)
    assert alike[:20].min() > alike[-3:].max() + 0.2


def test_a_stretch_shorter_than_a_window_gives_one() -> None:
    middles, vectors = FilterbankEncoder().embed(
        np.ones(SAMPLE_RATE // 4, np.float32), window=1.0, hop=0.25
    )
    assert len(middles) == len(vectors) == 1


def test_filter_banks_follow_the_pitch() -> None:
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    peaks = [
        int(fbank((0.1 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)).mean(0).argmax())
        for hertz in (200, 1000, 4000)
    ]
    assert peaks == sorted(set(peaks))


def voices(*counts: int, size: int = 16, spread: float = 0.15) -> np.ndarray:
    rng = np.random.default_rng(7)
    middles = np.eye(size)[: len(counts)]
    rows = [
        middle + rng.normal(0, spread, (count, size))
        for middle, count in zip(middles, counts, strict=True)
    ]
    return unit(np.concatenate(rows).astype(np.float32))


def test_an_outlier_takes_no_speakers_place() -> None:
    centres = cluster_centres(voices(200, 150, 4, spread=0.1), speakers=2)
    assert len(centres) == 2
    assert sorted(centres.argmax(axis=1)) == [0, 1]


def test_somebody_who_says_little_is_still_found() -> None:
    centres = cluster_centres(voices(300, 20), speakers=2)
    assert sorted(centres.argmax(axis=1)) == [0, 1]


def test_more_windows_than_are_clustered() -> None:
    centres = cluster_centres(voices(6000, 3000), speakers=2)
    assert sorted(centres.argmax(axis=1)) == [0, 1]


def test_a_single_window() -> None:
    assert len(cluster_centres(voices(1), speakers=2)) == 1


def test_a_doubtful_word_inside_a_phrase_stays_with_it() -> None:
    words = [word(i * 0.3) for i in range(7)]
    scores = np.array([[0.6, -0.6]] * 7, np.float32)
    scores[3] = [-0.2, 0.2]
    assert list(decide(words, scores)) == [0] * 7


def test_a_short_answer_between_pauses_is_its_own() -> None:
    words = [word(0.0), word(0.3, "¿no?"), word(1.2, "Sí."), word(2.2), word(2.5)]
    scores = np.array([[1, -1], [1, -1], [-0.5, 0.5], [1, -1], [1, -1]], np.float32)
    assert list(decide(words, scores)) == [0, 0, 1, 0, 0]


def test_the_change_moves_to_the_end_of_the_sentence() -> None:
    words = [word(0.0), word(0.3), word(0.6, "vive?"), word(0.9, "Con"), word(1.2), word(1.5)]
    # The windows around a change hear both voices.
    scores = np.array(
        [[1, -1], [0.8, -0.8], [-0.1, 0.1], [0.1, -0.1], [-0.9, 0.9], [-1, 1]], np.float32
    )
    assert list(decide(words, scores)) == [0, 0, 0, 1, 1, 1]
