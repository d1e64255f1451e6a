"""``make train``: learns what the local analysis engine decides with, from the corpus.

Three steps, each from what the one before gives to talks it has not learned from:

1. Heads (``portal/analysis/data/heads.npz``): ridge regression from a stretch of speech to what it
   asks or states, and whether it declines or evades.
2. Two judges of turns (``listener.json``): does this turn ask the question, does that one answer or
   decline it.
3. One judge of whole talks: asked, answered, declined or never touched.

Beside them two judges for free questions (``corpus/free.py``). What reads them together with a
passage is taught apart, since it takes most of an hour: ``corpus/cross_encoder.py``.

Seeded by nothing: every step is in closed form or converges. The same corpus and machine give the
same bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus import free, reading
from corpus.caching import CachedEncoder
from corpus.fitting import fit
from corpus.reading import SLUGS, Sample
from portal.analysis import answering, asking, coverage
from portal.analysis.coverage import STATES, Coverage, Notes
from portal.analysis.encoder import Encoder, Vectors, text_key
from portal.analysis.grounding import EMPLOYEE
from portal.analysis.heads import TALK, Heads, Learned, Space, hashed_rows, small_talk_texts
from portal.analysis.logistic import Logistic
from portal.analysis.questionnaire import default_questionnaire
from portal.analysis.text import spoken_form, words

DATA = Path(__file__).parents[1] / "portal" / "analysis" / "data"
QUESTIONS = default_questionnaire().questions
_HOW = {"answer": 1, "volunteer": 1, "decline": 2}
_PENALTY = {"asks": 3.0, "replies": 10.0, "states": 3.0}
_FORM = "form"
_RIDGE = 3.0


def form_samples() -> list[Sample]:
    """The questionnaire's own examples and small talk."""
    found = [
        Sample(t, "chats" if "?" in t else "other", None, "?" in t) for t in small_talk_texts()
    ]
    for question in QUESTIONS:
        for text in (question.text, *question.examples):
            asks, miss = "?" in text, text.startswith("- ")
            kind: reading.Kind = "asks" if asks else "other" if miss else "states"
            found.append(Sample(text.removeprefix("- "), kind, question.id, asks))
    return found


def columns() -> tuple[str, ...]:
    keys = [text_key(q.text) for q in QUESTIONS]
    return (*(f"asks {k}" for k in keys), *(f"states {k}" for k in keys), *TALK)


def _wanted(samples: Sequence[Sample]) -> Vectors:
    wanted = np.zeros((len(samples), 2 * len(SLUGS) + len(TALK)), dtype=np.float32)
    for row, sample in enumerate(samples):
        if sample.kind == "asks" and sample.question:
            wanted[row, SLUGS.index(sample.question)] = 1.0
        elif sample.kind == "states" and sample.question:
            wanted[row, len(SLUGS) + SLUGS.index(sample.question)] = 1.0
        elif sample.kind in TALK:
            wanted[row, 2 * len(SLUGS) + TALK.index(sample.kind)] = 1.0
    return wanted


@dataclass
class _Part:
    """One pass, as the heads learn from it: sums over its stretches."""

    rows: Vectors
    wanted: Vectors
    gram: Vectors
    cross: Vectors


class HeadTrainer:
    """Heads from any choice of passes; the sums of each pass are made once."""

    def __init__(self, names: Sequence[str], encoder: Encoder) -> None:
        sets = {_FORM: form_samples()}
        sets |= {name: list(reading.samples(reading.ROOT / name)) for name in names}
        vectors = {
            name: encoder.encode([spoken_form(s.text) for s in samples])
            for name, samples in sets.items()
        }
        hashed = {name: hashed_rows([s.text for s in samples]) for name, samples in sets.items()}
        count = sum(len(samples) for samples in sets.values())
        seen = sum((rows > 0).sum(axis=0) for rows in hashed.values())
        mean = np.concatenate(list(vectors.values())).mean(axis=0, dtype=np.float64)
        idf = np.log((1 + count) / (1 + seen))
        self.space = Space(mean.astype(np.float32), idf.astype(np.float32))
        self.parts: dict[str, _Part] = {}
        for name, samples in sets.items():
            rows = self.space.by_both([s.text for s in samples], encoder)
            wanted = _wanted(samples)
            self.parts[name] = _Part(rows, wanted, rows.T @ rows, rows.T @ wanted)

    def train(self, names: Sequence[str]) -> Learned:
        chosen = [self.parts[name] for name in (_FORM, *names)]
        gram = sum((p.gram for p in chosen[1:]), chosen[0].gram)
        cross = sum((p.cross for p in chosen[1:]), chosen[0].cross)
        eye = np.eye(len(gram), dtype=np.float32)
        both = np.linalg.solve(gram + _RIDGE * eye, cross)
        # The words' half of a row weighs the square root of one half in it.
        size, root = len(self.space.idf), np.sqrt(2.0)
        lexical = gram[-size:, -size:] * 2 + _RIDGE * eye[-size:, -size:]
        by_words = np.linalg.solve(lexical, cross[-size:] * root)
        return Learned(
            self.space,
            columns(),
            both.astype(np.float16).astype(np.float32),
            by_words.astype(np.float16).astype(np.float32),
            self._typical(chosen, both),
        )

    @staticmethod
    def _typical(parts: Sequence[_Part], weights: Vectors) -> tuple[float, float]:
        """Medians of what true stretches score; learned from, so a little too high."""
        found: tuple[list[Vectors], list[Vectors]] = ([], [])
        for part in parts:
            scores = part.rows @ weights
            for place, true in enumerate(found):
                block = slice(place * len(SLUGS), (place + 1) * len(SLUGS))
                true.append(scores[:, block][part.wanted[:, block] > 0])
        asks, states = (float(np.median(np.concatenate(true))) for true in found)
        return asks, states


@dataclass
class Table:
    """Rows to learn a judge from, and their classes."""

    rows: list[Vectors]
    labels: list[np.ndarray]

    def learn(self, name: str, features: Sequence[str], classes: Sequence[str]) -> Logistic:
        return fit(
            np.concatenate(self.rows).astype(np.float64),
            np.concatenate(self.labels),
            features=features,
            classes=classes,
            penalty=_PENALTY[name],
        )


def ask_rows(folder: Path, reader: Coverage) -> tuple[Vectors, np.ndarray]:
    """Every stretch an interviewer says in ``asks.jsonl`` with every question: does it ask it?"""
    samples = [s for s in reading.samples(folder) if s.employee]
    spoken = [words(s.text) for s in samples]
    cut = reader.detector.cut(spoken)
    labels = np.zeros((len(cut), len(SLUGS)), dtype=np.int64)
    for row, stretch in enumerate(cut):
        question = samples[stretch.turn].question
        if question:
            labels[row, SLUGS.index(question)] = 1
    table = reader.detector.features(cut)
    rows, right = [table.reshape(-1, table.shape[-1])], [labels.reshape(-1)]
    for interview in reading.interviews(folder):
        # Of what is never touched, nothing that is said asks it.
        never = [place for place, gold in enumerate(interview.gold) if gold["state"] == "unasked"]
        turns = [words(turn.text) for turn in interview.turns if turn.speaker == EMPLOYEE]
        some = reader.detector.features(reader.detector.cut(turns))[:, never]
        rows.append(some.reshape(-1, table.shape[-1]))
        right.append(np.zeros(len(rows[-1]), dtype=np.int64))
    return np.concatenate(rows), np.concatenate(right)


def reply_rows(folder: Path, reader: Coverage) -> tuple[Vectors, np.ndarray]:
    """What people say with every question: does it answer, decline, or do nothing?"""
    rows, labels = [], []
    for exchange in reading.exchanges(folder):
        label = np.zeros(len(SLUGS), dtype=np.int64)
        label[SLUGS.index(exchange.question)] = _HOW.get(exchange.how, 0)
        notes = reader.listen(exchange.turns)
        if answering.counts(notes.heard[len(exchange.turns) - 1]):
            rows.append(_features(reader, notes)[-1])
            labels.append(label)
    for interview in reading.interviews(folder):
        notes = reader.listen(interview.turns)
        table = _features(reader, notes)
        for place, turn in enumerate(notes.heard):
            if not answering.counts(notes.heard[turn]):
                continue
            label = np.zeros(len(SLUGS), dtype=np.int64)
            for question, gold in enumerate(interview.gold):
                if turn in gold["evidence"]:
                    label[question] = {"answered": 1, "declined": 2}.get(gold["state"], 0)
            rows.append(table[place])
            labels.append(label)
    return np.concatenate(rows), np.concatenate(labels)


def _features(reader: Coverage, notes: Notes) -> list[Vectors]:
    """Of each turn that is not the interviewer's: shape (questions, features)."""
    asked = answering.Asked(len(SLUGS))
    found = []
    for turn in sorted(notes.asking.keys() | notes.heard.keys()):
        if turn in notes.asking:
            asked.by_employee(notes.asking[turn])
        else:
            found.append(reader.judge.features(notes.heard[turn], asked))
            if notes.heard[turn].spoken.spanish:
                asked.by_other()
    return found


def state_rows(folder: Path, reader: Coverage) -> tuple[Vectors, np.ndarray]:
    rows, labels = [], []
    for interview in reading.interviews(folder):
        rows.append(reader.listen(interview.turns).features())
        labels.append(np.array([STATES.index(gold["state"]) for gold in interview.gold]))
    return np.concatenate(rows), np.concatenate(labels)


def _nothing(features: Sequence[str], classes: Sequence[str]) -> Logistic:
    return Logistic(tuple(features), tuple(classes), np.zeros((len(features) + 1, len(classes))))


_SHAPES: Mapping[str, tuple[Sequence[str], Sequence[str]]] = {
    "asks": (asking.FEATURES, ("no", "asks")),
    "replies": (answering.FEATURES, ("nothing", "answers", "declines")),
    "states": (coverage.FEATURES, STATES),
}
_ROWS = {"asks": ask_rows, "replies": reply_rows, "states": state_rows}


def cross_learned(
    names: Sequence[str], heads: Mapping[str, Heads]
) -> tuple[dict[str, Logistic], dict[str, dict[str, Logistic]]]:
    """Judges learned from all passes, and for each pass those learned from the others."""
    whole = {name: _nothing(*shape) for name, shape in _SHAPES.items()}
    without = {name: dict(whole) for name in names}
    for step, shape in _SHAPES.items():
        found = {}
        for name in names:
            reader = Coverage(QUESTIONS, heads[name], without[name])
            found[name] = _ROWS[step](reading.ROOT / name, reader)
        for left_out in (None, *names):
            chosen = [found[name] for name in names if name != left_out]
            table = Table([rows for rows, _ in chosen], [labels for _, labels in chosen])
            judge = table.learn(step, *shape)
            if left_out is None:
                whole[step] = judge
            else:
                without[left_out][step] = judge
    return whole, without


def main(names: Sequence[str]) -> None:
    encoder = CachedEncoder()
    trainer = HeadTrainer(names, encoder)
    heads = {
        name: Heads(QUESTIONS, encoder, trainer.train([n for n in names if n != name]))
        for name in names
    }
    judges, _ = cross_learned(names, heads)
    of_free_questions, _ = free.learn(names, encoder, heads)
    judges |= of_free_questions
    trainer.train(names).save(str(DATA / "heads.npz"))
    text = json.dumps({name: judge.as_data() for name, judge in judges.items()}, indent=1)
    (DATA / "listener.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:] or [folder.name for folder in reading.learnable()])
