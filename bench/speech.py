"""Who said what: words and speakers, on clear audio and on what makes them hard.

    python -m bench.speech [--json] [RECORDING ...]

Each recording (with its reference beside it; by default those of `eval/`) is heard as it is and in
the versions of `versions.py`, by the local engine and, in the same run, by simpler means. See
README.md beside this file.

Times are the processor's (of all threads), so that what else runs here counts little.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench import versions
from bench.diarization_error import Segment, diarization_error
from bench.installation import MODELS, PROJECT
from bench.playing import TABLE as PLAYED
from bench.playing import playing
from bench.versions import Said, Spoken
from portal.speech import audio, models
from portal.speech.diarization import SPEAKER_PAUSES, VoiceTimeline
from portal.speech.embeddings import FilterbankEncoder, SpeakerEncoder, VoiceEncoder
from portal.speech.engines.base import Audio, Options, Transcript, Turn, Word
from portal.speech.engines.local import LocalEngine
from portal.speech.formats import to_dict
from portal.speech.pieces import pieces
from portal.speech.roles import assign_roles
from portal.speech.turns import build_turns
from portal.speech.vad import speech_stretches

sys.path.insert(0, str(PROJECT / "bench" / "eval"))
import score  # its scorer stands alone

LABELLED = sorted((PROJECT / "bench" / "eval" / "audio").glob("*.ogg"))
BACKGROUND = sorted((PROJECT / "demo" / "audio").glob("*.ogg"))
THREADS = 2

Figures = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one flat object as the last line")
    parser.add_argument("recordings", nargs="*", type=Path, default=LABELLED)
    arguments = parser.parse_args()

    bench = Bench()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    with tempfile.TemporaryDirectory() as folder:
        for path in arguments.recordings:
            spoken = versions.read(path)
            others = [versions.read(other) for other in BACKGROUND if other.stem != path.stem]
            for ending, version in versions.VERSIONS.items():
                counts[ending] += bench.count(version(spoken, others), Path(folder))
                print(f"{path.stem}{ending}", file=sys.stderr, flush=True)
    played = playing() if arguments.recordings == LABELLED else {}
    report({ending: rates(n) for ending, n in counts.items()}, played, arguments)


class Bench:
    """The engine and what it is held against, loaded once."""

    def __init__(self) -> None:
        from faster_whisper import WhisperModel

        self.engine = LocalEngine(models_dir=MODELS, cpu_threads=THREADS)
        self.bare = WhisperModel(
            str(models.resolve_whisper(models_dir=MODELS)),
            device="cpu",
            compute_type="int8",
            cpu_threads=THREADS,
        )
        weights = models.speaker_model(MODELS)
        if weights is None:
            raise SystemExit("the model of voices is missing: run `make setup`")
        self.encoder = SpeakerEncoder(weights)

    def count(self, spoken: Spoken, folder: Path) -> Counter[str]:
        """What there is to count in one recording; ``rates`` makes figures of it."""
        path = versions.write(spoken, folder)
        started = time.process_time()
        transcript = self.engine.transcribe(Audio(path), options=Options())
        engine_s = time.process_time() - started
        started = time.process_time()
        bare = self.bare_text(path)
        bare_s = time.process_time() - started
        words = [word for turn in transcript.turns for word in turn.words]
        _, diarization_s = told_apart(self.encoder, path, words)
        simpler, _ = told_apart(FilterbankEncoder(), path, words)
        return (
            Counter(engine_s=engine_s, bare_s=bare_s, diarization_s=diarization_s)
            + Counter(
                words=len(reference_words(spoken)),
                word_errors=errors(spoken, " ".join(turn.text for turn in transcript.turns)),
                word_errors_bare=errors(spoken, bare),
                attributed_errors=attributed_errors(spoken, transcript),
                role_right=role_right(spoken, transcript),
            )
            + speakers(spoken, transcript)
            + speakers(spoken, relabelled(transcript, words, [0] * len(words)), "_one_label")
            + speakers(spoken, relabelled(transcript, words, simpler), "_filterbank")
        )

    def bare_text(self, path: Path) -> str:
        """As in `bare_whisper.py`, but for the language, which the engine is not told either."""
        segments, _ = self.bare.transcribe(
            str(path),
            beam_size=5,
            vad_filter=True,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        return " ".join(segment.text for segment in segments)


def told_apart(encoder: VoiceEncoder, path: Path, words: Sequence[Word]) -> tuple[list[int], float]:
    """A number for the speaker of each word, and the seconds that it took, reading and looking for
    speech left out."""
    timeline, taken = VoiceTimeline(encoder), 0.0
    for piece in pieces(audio.decode(path)):
        started = time.process_time()
        stretches = speech_stretches(piece.probability, length=len(piece.samples), **SPEAKER_PAUSES)
        timeline.add(piece.samples, stretches, offset=piece.offset)
        taken += time.process_time() - started
    started = time.process_time()
    numbers = timeline.speakers_of(words, speakers=2)
    return numbers, taken + time.process_time() - started


def relabelled(transcript: Transcript, words: Sequence[Word], numbers: Sequence[int]) -> Transcript:
    return replace(transcript, turns=build_turns(words, [str(number) for number in numbers]))


def reference_words(spoken: Spoken) -> list[str]:
    """Turn after turn, also where two are said at once."""
    found: list[str] = score.words_of(" ".join(turn.text for turn in spoken.turns))
    return found


def errors(spoken: Spoken, text: str) -> int:
    return int(score.edit_distance(reference_words(spoken), score.words_of(text)))


def attributed_errors(spoken: Spoken, transcript: Transcript) -> int:
    """Errors of words when each speaker's are compared with what that speaker said, so that a word
    under the wrong name is wrong twice: the "concatenated minimum-permutation" errors."""
    said, got = by_speaker(spoken.turns), by_speaker(transcript.turns)
    got += [[]] * (len(said) - len(got))
    said += [[]] * (len(got) - len(said))
    cost = [[score.edit_distance(ours, theirs) for theirs in got] for ours in said]
    return min(
        sum(row[column] for row, column in zip(cost, order, strict=True))
        for order in itertools.permutations(range(len(got)))
    )


def by_speaker(turns: Iterable[Said | Turn]) -> list[list[str]]:
    words: dict[str, list[str]] = defaultdict(list)
    for turn in turns:
        words[turn.speaker] += score.words_of(turn.text)
    return list(words.values())


def role_right(spoken: Spoken, transcript: Transcript) -> int:
    """Reference words whose nearest recognised word is under the right role."""
    roles = assign_roles(transcript.turns).roles
    got = timed(to_dict(transcript, roles)["turns"])
    right = 0
    for middle, _, role in timed(asdict(turn) for turn in spoken.turns):
        near = min(got, key=lambda word: abs(word[0] - middle))
        right += near[2] == role and abs(near[0] - middle) <= score.NEAREST_WORD_S
    return right


def timed(turns: Iterable[dict[str, Any]]) -> list[tuple[float, str, str]]:
    """(middle in seconds, word, speaker) in the order of time."""
    found: list[tuple[float, str, str]] = score.timed_words(turns)
    return found


def speakers(spoken: Spoken, transcript: Transcript, ending: str = "") -> Counter[str]:
    """What is right about who speaks, as counts."""
    expected = timed(asdict(turn) for turn in spoken.turns)
    right = score.speaker_right(expected, timed(to_dict(transcript)["turns"]))
    seconds = diarization_error(
        [Segment(turn.start, turn.end, turn.speaker) for turn in spoken.turns],
        [Segment(turn.start, turn.end, turn.speaker) for turn in transcript.turns],
    )
    return Counter(
        {
            f"speaker_right{ending}": right,
            f"seconds_wrong{ending}": seconds.wrong,
            f"seconds{ending}": seconds.spoken,
        }
    )


def rates(n: Counter[str]) -> Figures:
    """Of one version of all recordings: counts are added up before they are divided."""
    return {
        "wer": n["word_errors"] / n["words"],
        "wer_bare": n["word_errors_bare"] / n["words"],
        "attributed_wer": n["attributed_errors"] / n["words"],
        "speaker_accuracy": n["speaker_right"] / n["words"],
        "speaker_accuracy_one_label": n["speaker_right_one_label"] / n["words"],
        "speaker_accuracy_filterbank": n["speaker_right_filterbank"] / n["words"],
        "role_accuracy": n["role_right"] / n["words"],
        "der": n["seconds_wrong"] / n["seconds"],
        "der_one_label": n["seconds_wrong_one_label"] / n["seconds_one_label"],
        "der_filterbank": n["seconds_wrong_filterbank"] / n["seconds_filterbank"],
        "diarization_share": n["diarization_s"] / n["bare_s"],
        "engine_share": n["engine_s"] / n["bare_s"],
    }


ROWS = (
    ("wer", "words wrong, missing or invented"),
    ("wer_bare", "  faster-whisper alone"),
    ("speaker_accuracy", "words by the right speaker"),
    ("speaker_accuracy_one_label", "  one label for all"),
    ("speaker_accuracy_filterbank", "  without a model of voices"),
    ("role_accuracy", "words under the right role"),
    ("attributed_wer", "words wrong, or under the wrong speaker"),
    ("der", "diarization error, collar 0.25 s"),
    ("der_one_label", "  one label for all"),
    ("der_filterbank", "  without a model of voices"),
    ("diarization_share", "telling voices apart / faster-whisper alone"),
    ("engine_share", "whole engine / faster-whisper alone"),
)


def report(figures: dict[str, Figures], played: Figures, arguments: argparse.Namespace) -> None:
    names = [ending.strip("_") or "clear" for ending in figures]
    print(
        f"{len(arguments.recordings)} recordings, all words together; {time.strftime('%Y-%m-%d')}"
    )
    print(f"{'':<52}" + "".join(f"{name:>11}" for name in names))
    for name, what in ROWS:
        print(f"{what:<52}" + "".join(f"{found[name]:>11.3f}" for found in figures.values()))
    for name, what in PLAYED:
        if name in played:
            print(f"{what:<66}{played[name]:>10.1f}")
    if arguments.json:
        flat = {
            f"{name}{ending}": value
            for ending, found in figures.items()
            for name, value in found.items()
        }
        print(json.dumps({name: round(value, 4) for name, value in (flat | played).items()}))


if __name__ == "__main__":
    main()
