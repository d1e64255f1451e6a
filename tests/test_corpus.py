"""The corpus is whole, and what is learned from it is the same each time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from corpus import check, reading
from corpus.fitting import fit, fit_choice
from corpus.train import HeadTrainer
from portal.analysis.encoder import Vectors


class Letters:
    """An encoder that tells texts apart and costs nothing: shares of 20 letters."""

    name = "letters"

    def encode(self, texts: Sequence[str], *, told: bool = False) -> Vectors:
        counts = [[text.count(letter) for letter in "abcdefghilmnoprstuvy"] for text in texts]
        return np.array(counts, dtype=np.float32).reshape(len(texts), 20)


@pytest.mark.parametrize("folder", reading.passes(), ids=lambda folder: folder.name)
def test_a_pass_is_whole(folder: Path) -> None:
    assert check.problems(folder) == []


@pytest.mark.parametrize("path", reading.talk_files(), ids=lambda path: path.stem)
def test_the_talks_of_a_hand_are_whole(path: Path) -> None:
    assert check.problems_of_talks(path) == []


def test_nothing_that_is_tested_is_learned() -> None:
    assert check.leaked() == []
    assert {folder.name for folder in reading.learnable()}.isdisjoint(reading.TEST)
    assert all((reading.ROOT / name).is_dir() for name in reading.TEST)
    assert {path.stem for path in reading.talk_files()} > set(reading.TEST_TALKS)


def test_a_recogniser_s_noise_is_the_same_each_time_and_keeps_most_words() -> None:
    text = "Sí, estoy empadronada en casa de mi hermana; ¿por qué lo pregunta?"
    heard = reading.misheard(text)
    assert heard == reading.misheard(text)
    assert len(heard.split()) == len(text.split())
    assert not set(heard) & set(",;¿?S")


def test_the_same_corpus_gives_the_same_heads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    some = {name.name: reading.samples(name)[:60] for name in reading.learnable()[:2]}
    monkeypatch.setattr(reading, "samples", lambda folder: some[folder.name])
    monkeypatch.setattr("portal.analysis.heads.BUCKETS", 256)
    files = []
    for number in range(2):
        path = tmp_path / f"{number}.npz"
        HeadTrainer(list(some), Letters()).train(list(some)).save(str(path))
        files.append(path.read_bytes())
    assert files[0] == files[1]


def test_a_logistic_learns_what_tells_classes_apart() -> None:
    chance = np.random.default_rng(7)
    rows = chance.normal(size=(600, 3))
    labels = np.where(rows[:, 0] > 0.5, 1, np.where(rows[:, 1] > 0.5, 2, 0))
    judge = fit(rows, labels, features=("a", "b", "c"), classes=("x", "y", "z"), penalty=0.1)
    assert (judge.probabilities(rows).argmax(axis=1) == labels).mean() > 0.9
    assert np.allclose(judge.probabilities(rows).sum(axis=1), 1.0)
    strongest = np.abs(judge.weights[:-1]).argmax(axis=0)
    assert strongest[1] == 0
    assert strongest[2] == 1


def test_a_choice_learns_what_the_right_ones_of_a_group_have() -> None:
    chance = np.random.default_rng(7)
    groups = np.repeat(np.arange(80), chance.integers(3, 9, size=80))
    rows = chance.normal(size=(len(groups), 3))
    best = [
        np.flatnonzero(groups == group)[rows[groups == group, 1].argmax()] for group in set(groups)
    ]
    right = np.zeros(len(groups), dtype=np.int64)
    right[best] = 1
    judge = fit_choice(
        rows, right, groups, features=("a", "b", "c"), classes=("other", "holds"), penalty=0.1
    )
    chosen = [judge.choice(rows[groups == group]) for group in range(80)]
    assert (
        np.mean([c.argmax() == rows[groups == g, 1].argmax() for g, c in enumerate(chosen)]) > 0.95
    )
    assert np.allclose([c.sum() for c in chosen], 1.0)
