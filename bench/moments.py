"""How well the moments to review are chosen, on spoken conversations whose words are known.

    python -m bench.moments [--json] [RECORDING ...]

Each recording (with its reference beside it; by default those of `eval/` and of the demo) is
transcribed by the local engine. What is doubted is held against the reference; speech that was
left out and words that nobody said are planted, one turn at a time. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.installation import MODELS, PROJECT
from portal.speech import audio, doubts, quality, vad
from portal.speech.engines.base import Audio, Options, Transcript, Turn
from portal.speech.engines.local import LocalEngine

sys.path.insert(0, str(PROJECT / "bench" / "eval"))
import score  # its scorer stands alone

RECORDINGS = sorted(
    path
    for folder in ("bench/eval/audio", "demo/audio")
    for path in (PROJECT / folder).glob("*.ogg")
)
THRESHOLDS = (0.3, 0.4, 0.5, 0.6, 0.7)
PLANTED_AT_LEAST = 2.0
"""Seconds of a turn that is taken out, or whose sound is."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one flat object as the last line")
    parser.add_argument("recordings", nargs="*", type=Path, default=RECORDINGS)
    arguments = parser.parse_args()
    engine = LocalEngine(models_dir=MODELS)
    counts: Counter[str] = Counter()
    seconds = {"audio": 0.0, "find": 0.0, "listen": 0.0}
    groups: list[tuple[str, float, bool]] = []
    for path in arguments.recordings:
        transcript = engine.transcribe(Audio(path), options=Options(language="es"))
        voice = vad.unpacked(transcript.voice)
        groups += judged(transcript, json.loads(path.with_suffix(".json").read_text()))
        started = time.perf_counter()
        found = moments(transcript.turns, voice)
        seconds["find"] += time.perf_counter() - started
        started = time.perf_counter()
        vad.activity(audio.decode(path))
        seconds["listen"] += time.perf_counter() - started
        seconds["audio"] += transcript.duration
        counts["moments"] += len(found)
        counts += Counter(f"kind_{moment.kind}" for moment in found)
        counts += planted(transcript, voice)
        print(f"{path.name}: " + "; ".join(f"{m.kind} {m.start:.0f} s {m.quote!r}" for m in found))
    figures = summed(counts, seconds) | thresholds(groups)
    for name, value in figures.items():
        print(f"{name:40} {value:.3f}")
    if arguments.json:
        print(json.dumps(figures))


def moments(turns: Sequence[Turn], voice: NDArray[np.float32]) -> list[quality.Moment]:
    return quality.moments(turns, voice, language="es")


def planted(transcript: Transcript, voice: NDArray[np.float32]) -> Counter[str]:
    """Of turns whose words were taken out, and of turns under which the sound was, how many are
    among the moments."""
    counts: Counter[str] = Counter()
    turns = transcript.turns
    for number, turn in enumerate(turns):
        if turn.end - turn.start < PLANTED_AT_LEAST:
            continue
        counts["planted"] += 1
        rest = [*turns[:number], *turns[number + 1 :]]
        counts["missed_found"] += any(
            moment.kind == "missed" and moment.start < turn.end and moment.end > turn.start
            for moment in moments(rest, voice)
        )
        silent = voice.copy()
        low, high = (
            int(at * quality.STEPS_PER_SECOND) for at in (turn.start - 0.5, turn.end + 0.5)
        )
        silent[max(0, low) : high] = 0.01
        counts["silence_found"] += any(
            moment.kind == "silence" and moment.turn == number for moment in moments(turns, silent)
        )
    return counts


def judged(
    transcript: Transcript, reference: dict[str, list[dict[str, str]]]
) -> Iterator[tuple[str, float, bool]]:
    """Each name or number: kind, probability, and whether all its words are in the reference."""
    truth = [token for turn in reference["turns"] for token in score.words_of(turn["text"])]
    heard = [
        (token, number, at)
        for number, turn in enumerate(transcript.turns)
        for at, word in enumerate(turn.words)
        for token in score.words_of(word.text)
    ]
    matcher = SequenceMatcher(None, truth, [token for token, _, _ in heard], autojunk=False)
    right = {
        i for block in matcher.get_matching_blocks() for i in range(block.b, block.b + block.size)
    }
    wrong = {(number, at) for i, (_, number, at) in enumerate(heard) if i not in right}
    for number, turn in enumerate(transcript.turns):
        sure = replace(turn, words=tuple(replace(word, probability=0.0) for word in turn.words))
        for doubt in doubts.doubts(sure, "es"):
            places = range(doubt.first, doubt.last + 1)
            probability = min(turn.words[at].probability for at in places)
            yield doubt.kind, probability, not any((number, at) in wrong for at in places)


def thresholds(groups: Sequence[tuple[str, float, bool]]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for kind in ("name", "number"):
        of_kind = [(probability, right) for k, probability, right in groups if k == kind]
        wrong = sum(not right for _, right in of_kind)
        figures |= {f"{kind}s": len(of_kind), f"{kind}s_wrong": wrong}
        for threshold in THRESHOLDS:
            flagged = [right for probability, right in of_kind if probability < threshold]
            hits = sum(not right for right in flagged)
            figures[f"{kind}_flagged_{threshold}"] = len(flagged)
            figures[f"{kind}_precision_{threshold}"] = hits / max(1, len(flagged))
            figures[f"{kind}_recall_{threshold}"] = hits / max(1, wrong)
    return figures


def summed(counts: Counter[str], seconds: dict[str, float]) -> dict[str, float]:
    hours = seconds["audio"] / 3600
    return {
        "moments_per_10_minutes": counts["moments"] / (6 * hours),
        **{name: counts[name] for name in sorted(counts) if name.startswith("kind_")},
        "planted_turns": counts["planted"],
        "missed_recall": counts["missed_found"] / max(1, counts["planted"]),
        "silence_recall": counts["silence_found"] / max(1, counts["planted"]),
        "find_s_per_hour": seconds["find"] / hours,
        "listen_s_per_hour": seconds["listen"] / hours,
    }


if __name__ == "__main__":
    main()
