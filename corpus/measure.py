"""How well the engine does on the corpus: ``python -m corpus.measure WHAT``.

``tune``: every pass that may be learned from, read with weights learned from the others; but for
what reads free questions, which has learned from all of them, so that their last three figures
flatter.
``test``: the passes and the talks held back, read with the weights that come with the package.
``curve``: the passes held back, read with weights learned from 2, 4 ... passes.
``own``: each question of the form taken for a coordinator's own, known by its text, cues and ten
examples only, in the interviews held back; beside it the same question as it was learned.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bench.assess import read, read_free
from corpus import free, reading
from corpus.caching import CachedEncoder
from corpus.train import QUESTIONS, HeadTrainer, cross_learned
from portal.analysis.encoder import Encoder
from portal.analysis.engines.base import Question
from portal.analysis.engines.extractive import ExtractiveEngine
from portal.analysis.heads import Heads, Learned
from portal.analysis.logistic import Logistic

SHOWN = (
    *("covered_precision", "covered_recall", "covered_f1", "all_covered_f1", "true_negatives"),
    *("state_accuracy", "evidence_hit", "key_fact", "false_per_interview", "grounding"),
    *("right", "ask_evidence_hit", "abstention"),
)
EXAMPLES = 10
_OF_ONE = ("covered_f1", "state_accuracy", "evidence_hit", "key_fact", "false_per_interview")


def interviews(*names: str) -> list[dict[str, Any]]:
    return [interview for name in names for interview in reading.labelled(reading.ROOT / name)]


def show(label: str, figures: Mapping[str, float]) -> None:
    print(label.ljust(12), *(f"{name}={figures[name]:.3f}" for name in SHOWN), flush=True)


class Learning:
    """Engines learned from some passes, to read others."""

    def __init__(self, names: Sequence[str], encoder: Encoder) -> None:
        self.names = names
        self.encoder = encoder
        self._trainer = HeadTrainer(names, encoder)

    def engines(self, names: Sequence[str]) -> tuple[ExtractiveEngine, dict[str, ExtractiveEngine]]:
        """Learned from all of ``names``; and for each of them, from the others."""
        known = {n: self._trainer.train([m for m in names if m != n]) for n in names}
        heads = {n: Heads(QUESTIONS, self.encoder, known[n]) for n in names}
        whole, without = cross_learned(names, heads)
        free_whole, free_without = free.learn(names, self.encoder, heads)
        return (
            self._engine(self._trainer.train(names), whole | free_whole),
            {n: self._engine(known[n], without[n] | free_without[n]) for n in names},
        )

    def _engine(self, known: Learned, judges: Mapping[str, Logistic]) -> ExtractiveEngine:
        return ExtractiveEngine(self.encoder, known=known, judges=judges)


def tune(names: Sequence[str], encoder: Encoder) -> None:
    _, engines = Learning(names, encoder).engines(names)
    rows = []
    for name, engine in engines.items():
        rows.append(read(engine, interviews(name)))
        show(name, rows[-1])
    show("mean", {key: sum(row[key] for row in rows) / len(rows) for key in SHOWN})


def test(encoder: Encoder) -> None:
    for name in reading.TEST:
        show(name, read(ExtractiveEngine(encoder), interviews(name)))
    for path in reading.talk_files():
        if path.stem in reading.TEST_TALKS:
            figures = read_free(ExtractiveEngine(encoder), reading.lines(path))
            shown = (f"{name}={figures[name]:.3f}" for name in figures)
            print(f"talks {path.stem}".ljust(12), *shown, flush=True)


def curve(names: Sequence[str], encoder: Encoder) -> None:
    learning = Learning(names, encoder)
    count = 2
    while True:
        count = min(count, len(names))
        engine, _ = learning.engines(names[:count])
        show(f"{count} passes", read(engine, interviews(*reading.TEST)))
        if count == len(names):
            return
        count *= 2


def own(encoder: Encoder) -> None:
    """With a changed text no learned head is found for it, so it has to learn its own."""
    engine = ExtractiveEngine(encoder)
    files = interviews(*reading.TEST)
    rows: dict[str, list[dict[str, float]]] = {"learned": [], "own": []}
    for place, question in enumerate(QUESTIONS):
        asking = [e for e in question.examples if "?" in e][: EXAMPLES // 2]
        stating = [e for e in question.examples if "?" not in e][: EXAMPLES // 2]
        changed = replace(question, text=question.text + " ", examples=(*asking, *stating))
        for label, one in (("learned", question), ("own", changed)):
            form: list[Question] = [*QUESTIONS[:place], one, *QUESTIONS[place + 1 :]]
            rows[label].append(read(engine, files, form, only=question.id))
            shown = (f"{key}={rows[label][-1][key] or 0.0:.2f}" for key in _OF_ONE)
            print(question.id.ljust(20), label.ljust(8), *shown, flush=True)
    for label, figures in rows.items():
        mean = {key: sum(row[key] or 0.0 for row in figures) / len(figures) for key in _OF_ONE}
        print("mean".ljust(20), label.ljust(8), *(f"{key}={mean[key]:.2f}" for key in _OF_ONE))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("tune", "test", "curve", "own"))
    what = parser.parse_args().what
    encoder = CachedEncoder()
    names = [folder.name for folder in reading.learnable()]
    if what in ("test", "own"):
        {"test": test, "own": own}[what](encoder)
    else:
        {"tune": tune, "curve": curve}[what](names, encoder)


if __name__ == "__main__":
    main()
