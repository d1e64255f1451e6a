"""How well the moments to review are chosen, on spoken conversations whose words are known.

    python -m bench.moments [--json] [RECORDING ...]

Each recording (with its reference beside it; by default those of `eval/` and of the demo) is heard
as it is, in noise and by telephone (`versions.py`), by the local engine. What is doubted is held
against the reference; speech that was left out and words that nobody said are planted, one turn at
a time. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench import versions
from bench.installation import MODELS, PROJECT
from bench.versions import Said
from portal.speech import audio, doubts, quality, vad
from portal.speech.engines.base import Audio, Options, Transcript, Turn
from portal.speech.engines.local import LocalEngine

sys.path.insert(0, str(PROJECT / "bench" / "eval"))
import score  # its scorer stands alone

EVAL, DEMO = (
    sorted((PROJECT / folder / "audio").glob("*.ogg")) for folder in ("bench/eval", "demo")
)
VERSIONS = {"": versions.clean, "_noisy": versions.noisy, "_telephone": versions.telephone}
THRESHOLDS = (0.4, 0.5, 0.6, 0.7)
PLANTED_AT_LEAST = 2.0
"""Seconds of a turn that is taken out, or whose sound is."""

Figures = dict[str, float]
Judged = tuple[str, float, bool]
"""Kind of what may be doubted, its probability, and whether it is right."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one flat object as the last line")
    parser.add_argument("recordings", nargs="*", type=Path, default=[*EVAL, *DEMO])
    arguments = parser.parse_args()
    engine = LocalEngine(models_dir=MODELS)
    figures: Figures = {}
    others = {path.stem: versions.read(path) for path in DEMO}
    with tempfile.TemporaryDirectory() as folder:
        for ending, version in VERSIONS.items():
            counts: Counter[str] = Counter()
            judged: list[Judged] = []
            for path in arguments.recordings:
                babble = [spoken for name, spoken in others.items() if name != path.stem]
                spoken = version(versions.read(path), babble)
                written = versions.write(spoken, Path(folder))
                transcript = engine.transcribe(Audio(written), options=Options(language="es"))
                counts += counted(transcript, f"{path.stem}{ending}")
                judged += judge(transcript, spoken.turns)
            measured = summed(counts) | by_threshold(judged)
            figures |= {f"{name}{ending}": value for name, value in measured.items()}
            if not ending:
                figures |= seconds_per_hour(written, transcript)
    for name, value in figures.items():
        print(f"{name:40} {value:.3f}")
    if arguments.json:
        print(json.dumps(figures))


def found(turns: Sequence[Turn], voice: NDArray[np.float32]) -> list[quality.Moment]:
    return quality.moments(turns, voice, language="es")


def counted(transcript: Transcript, name: str) -> Counter[str]:
    """The moments as it is; and of turns whose words are taken out, and turns under which the
    voice is, how many are among the moments then."""
    turns, voice = transcript.turns, vad.unpacked(transcript.voice)
    moments = found(turns, voice)
    print(f"{name}: " + "; ".join(f"{m.kind} {m.start:.0f} s {m.quote!r}" for m in moments))
    counts = Counter(f"{moment.kind}_moments" for moment in moments)
    counts["ms"] = round(1000 * transcript.duration)
    for number, turn in enumerate(turns):
        if turn.end - turn.start < PLANTED_AT_LEAST:
            continue
        counts["planted"] += 1
        rest = [*turns[:number], *turns[number + 1 :]]
        counts["missed_found"] += any(
            moment.kind == "missed" and moment.start < turn.end and moment.end > turn.start
            for moment in found(rest, voice)
        )
        silent = voice.copy()
        low, high = (
            int(at * quality.STEPS_PER_SECOND) for at in (turn.start - 0.5, turn.end + 0.5)
        )
        silent[max(0, low) : high] = 0.01
        counts["silence_found"] += any(
            moment.kind == "silence" and moment.turn == number for moment in found(turns, silent)
        )
    return counts


def judge(transcript: Transcript, reference: Sequence[Said]) -> Iterator[Judged]:
    """Each name or number, which is right when all its words are where the reference has them."""
    truth = [token for said in reference for token in score.words_of(said.text)]
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
        unsure = tuple(replace(word, probability=0.0) for word in turn.words)
        for doubt in doubts.doubts(replace(turn, words=unsure), "es"):
            places = range(doubt.first, doubt.last + 1)
            probability = min(turn.words[at].probability for at in places)
            yield doubt.kind, probability, not any((number, at) in wrong for at in places)


def summed(counts: Counter[str]) -> Figures:
    moments = {name: counts[name] for name in sorted(counts) if name.endswith("_moments")}
    return {
        "moments_per_10_minutes": sum(moments.values()) / (counts["ms"] / 600_000),
        **moments,
        "planted_turns": counts["planted"],
        "missed_recall": counts["missed_found"] / max(1, counts["planted"]),
        "silence_recall": counts["silence_found"] / max(1, counts["planted"]),
    }


def by_threshold(judged: Sequence[Judged]) -> Figures:
    figures: Figures = {}
    for kind in ("name", "number"):
        of_kind = [(probability, right) for k, probability, right in judged if k == kind]
        wrong = sum(not right for _, right in of_kind)
        figures |= {f"{kind}s": len(of_kind), f"{kind}s_wrong": wrong}
        for threshold in THRESHOLDS:
            doubted = [right for probability, right in of_kind if probability < threshold]
            figures[f"{kind}s_below_{threshold}"] = len(doubted)
            figures[f"{kind}s_wrong_below_{threshold}"] = sum(not right for right in doubted)
    return figures


def seconds_per_hour(path: Path, transcript: Transcript) -> Figures:
    """What it costs: to listen for voices, of an engine that did not, and to find the moments."""
    hours = transcript.duration / 3600
    started = time.process_time()
    voice = vad.activity(audio.decode(path))
    listened = time.process_time()
    found(transcript.turns, voice)
    return {
        "listen_cpu_s_per_hour": (listened - started) / hours,
        "find_cpu_s_per_hour": (time.process_time() - listened) / hours,
    }


if __name__ == "__main__":
    main()
