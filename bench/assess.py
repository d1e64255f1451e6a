"""How well each analysis engine reads interviews, beside a search for the form's own words.

``python -m bench.assess [--json] [--engine NAME]... [FILES]``: the scorer's figures
(``bench/eval/score.py``) over ``bench/eval/interviews`` or the files given, with the seconds an
interview takes once the engine has loaded, and the peak of its process. With ``--json`` the last
line is one flat object.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

from portal.analysis.engines import available_engines, get_engine
from portal.analysis.engines.base import (
    AnalysisEngine,
    Description,
    Evidence,
    Finding,
    Question,
    Reply,
    Turn,
)
from portal.analysis.grounding import EMPLOYEE
from portal.analysis.questionnaire import default_questionnaire
from portal.analysis.text import content_stems, words

EVAL = Path(__file__).parent / "eval"
BASELINE = "baseline"
FIGURES = {
    "covered_f1": "covered_f1",
    "state": "state_accuracy",
    "evidence_hit": "evidence_hit",
    "key_fact": "key_fact",
    "false_answers": "false_per_interview",
    "true_negatives": "true_negatives",
    "grounding": "grounding",
    "right": "right",
    "ask_evidence_hit": "ask_evidence_hit",
    "abstention": "abstention",
    "seconds": "seconds",
    "ask_seconds": "ask_seconds",
    "peak_mb": "peak_mb",
}

_FREE = {
    "right": "right",
    "ask_evidence_hit": "evidence_hit",
    "abstention": "abstention",
    "ask_seconds": "seconds",
}


class KeywordSearch:
    """The floor: who says two of a question's own words speaks of it."""

    name = BASELINE
    model = "words"
    _NEEDED = 2

    def assess(
        self, turns: Sequence[Turn], questions: Sequence[Question], *, known: Sequence[str] = ()
    ) -> list[Finding]:
        return [self._finding(turns, q) for q in questions if q.id not in known]

    def _finding(self, turns: Sequence[Turn], question: Question) -> Finding:
        asked: tuple[Evidence, ...] = ()
        for number, turn in enumerate(turns):
            if self._shared(question.text, turn.text) < self._NEEDED:
                continue
            if turn.speaker == EMPLOYEE:
                asked = (Evidence(number, turn.text),)
                after = next(
                    (i for i in range(number + 1, len(turns)) if turns[i].speaker != EMPLOYEE), None
                )
                if after is not None:
                    proof = Evidence(after, turns[after].text)
                    return Finding(question.id, "answered", proof.quote, (proof,), 0.5)
            else:
                proof = Evidence(number, turn.text)
                return Finding(question.id, "answered", turn.text, (proof,), 0.5)
        return Finding(question.id, "asked" if asked else "unasked", "", asked)

    def describe(self, turns: Sequence[Turn]) -> Description:
        return Description("Conversación", "Conversación")

    def ask(self, turns: Sequence[Turn], question: str) -> Reply:
        said = [i for i, turn in enumerate(turns) if turn.speaker != EMPLOYEE]
        best = max(said, key=lambda i: self._shared(question, turns[i].text), default=None)
        if best is None or not self._shared(question, turns[best].text):
            return Reply(False)
        return Reply(True, turns[best].text, (Evidence(best, turns[best].text),))

    @staticmethod
    def _shared(question: str, text: str) -> int:
        return len(
            set(content_stems(words(question).folded)) & set(content_stems(words(text).folded))
        )


def scorer() -> ModuleType:
    """``bench/eval/score.py``, which is a script of its own and no part of this package."""
    spec = importlib.util.spec_from_file_location("score", EVAL / "score.py")
    if spec is None or spec.loader is None:
        raise ImportError("bench/eval/score.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _proof(evidence: Sequence[Evidence]) -> list[dict[str, Any]]:
    return [asdict(piece) for piece in evidence]


def loaded(files: Sequence[Path]) -> list[dict[str, Any]]:
    return [json.loads(file.read_text("utf-8")) for file in files]


def read(
    engine: AnalysisEngine,
    interviews: Sequence[dict[str, Any]],
    questions: Sequence[Question] = default_questionnaire().questions,
    *,
    only: str = "",
) -> dict[str, float]:
    """The figures of one engine over interviews in the scorer's format; ``only`` counts one
    question of the form, and no free ones."""
    score = scorer()
    engine.assess([Turn(EMPLOYEE, "Buenos días.")], questions)
    engine.ask([Turn("usuario", "Vivo con mi madre.")], "¿Con quién vive?")
    assessed: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for interview in interviews:
        turns = [Turn(t["speaker"], t["text"]) for t in interview["turns"]]
        started = time.perf_counter()
        findings = engine.assess(turns, questions)
        assessed["seconds"] += time.perf_counter() - started
        described = engine.describe(turns)
        answers = [
            {
                "question": f.question_id,
                "state": f.state,
                "answer": f.answer,
                "evidence": _proof(f.evidence),
            }
            for f in findings
        ]
        output = {"title": described.title, "summary": described.summary, "answers": answers}
        wanted = [g for g in interview["gold"] if only in ("", g["question"])]
        findings = [f for f in findings if only in ("", f.question_id)]
        assessed += score.count_assess(interview | {"gold": wanted}, output)
        for finding, gold in zip(findings, wanted, strict=True):
            if gold["state"] == "unasked":
                assessed["untouched"] += 1
                assessed["left_alone"] += finding.state == "unasked"
        if not only:
            asked += _asked(engine, interview)
    figures = score.report_assess(assessed)
    free = {} if only else score.report_ask(asked)
    return figures | {
        "false_per_interview": assessed["false_answers"] / len(interviews),
        "true_negatives": assessed["left_alone"] / max(1, assessed["untouched"]),
        "all_covered_f1": 2
        * (covered := assessed["tp"] + assessed["fn"])
        / (covered + assessed["questions"]),
        **{name: free.get(key, 0.0) for name, key in _FREE.items()},
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _asked(engine: AnalysisEngine, talk: dict[str, Any]) -> Counter[str]:
    """The scorer's counts, and the seconds, of the free questions of one conversation."""
    score = scorer()
    turns = [Turn(t["speaker"], t["text"]) for t in talk["turns"]]
    counts: Counter[str] = Counter()
    for item in talk["qa"]:
        started = time.perf_counter()
        reply = engine.ask(turns, item["q"])
        counts["seconds"] += time.perf_counter() - started
        said = {"found": reply.found, "answer": reply.answer}
        counts += score.count_ask(talk, item, said | {"evidence": _proof(reply.evidence)})
    return counts


def read_free(engine: AnalysisEngine, talks: Sequence[dict[str, Any]]) -> dict[str, float]:
    """The figures of one engine over the free questions of talks that have nothing else."""
    figures = scorer().report_ask(sum((_asked(engine, talk) for talk in talks), Counter()))
    return {name: figures[key] for name, key in _FREE.items()}


def _alone(name: str, files: Sequence[Path]) -> dict[str, float]:
    """``read`` in a process of its own, so that its memory is its own."""
    command = [sys.executable, "-m", "bench.assess", "--inside", name, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--engine", action="append", choices=available_engines())
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    args = parser.parse_args()
    files = args.files or sorted((EVAL / "interviews").glob("*.json"))
    if args.inside:
        engine = KeywordSearch() if args.inside == BASELINE else get_engine(args.inside)
        print(json.dumps(read(engine, loaded(files))))
        return
    ready = [name for name in available_engines() if not get_engine(name).check()]
    names = [*(args.engine or ready), BASELINE]
    table = {name: _alone(name, files) for name in names}
    print("".ljust(18), *(name.rjust(12) for name in table))
    for label, key in FIGURES.items():
        print(label.ljust(18), *(f"{figures[key]:12.3f}" for figures in table.values()))
    everything = next(iter(table.values()))["all_covered_f1"]
    print(f"covered_f1 of calling everything covered: {everything:.3f}")
    if args.json:
        flat = {
            f"{name}.{label}": round(figures[key], 4)
            for name, figures in table.items()
            for label, key in FIGURES.items()
        }
        print(json.dumps(flat))


if __name__ == "__main__":
    main()
