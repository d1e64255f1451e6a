#!/usr/bin/env python3
"""Speak the written conversations of the demo office and of the tests.

Every ``demo/interviews/X.json`` becomes ``demo/audio/X.ogg``, every ``tests/audio/scripts/X.json``
becomes ``tests/audio/X.ogg`` (Opus, 16 kHz, mono), each with a reference ``X.json`` beside it:
``{"duration", "turns": [{"speaker", "start", "end", "text"}]}``, in seconds from the start, exact
to the sample before encoding.

Needs Debian's ``libttspico-utils`` (section non-free), ``sox`` and ``ffmpeg``; README.md says more.
Only whoever changes a conversation runs this: the audio is kept in the repository.
"""

from __future__ import annotations

import argparse
import array
import json
import random
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = (
    (ROOT / "demo" / "interviews", ROOT / "demo" / "audio"),
    (ROOT / "tests" / "audio" / "scripts", ROOT / "tests" / "audio"),
)
RATE = 16_000
PROGRAMS = {"pico2wave": "libttspico-utils (non-free)", "sox": "sox", "ffmpeg": "ffmpeg"}
# A sample louder than this is speech; Pico's own lead-in and tail are quieter.
SPEECH = 300
EDGE = RATE // 50


@dataclass(frozen=True)
class Voice:
    """A speaker made from Pico's one Spanish voice.

    ``pitch`` is in hundredths of a semitone and moves the formants too, as a larger or smaller
    throat would; ``tempo`` is the speed of talking; ``tone`` raises or lowers the treble in dB;
    ``level`` is the peak in dBFS, since people sit nearer to or farther from the microphone;
    ``room`` is sox's reverberance in per cent.
    """

    pitch: int
    tempo: float
    tone: int
    level: float
    room: int

    def effects(self) -> list[str]:
        shaped = ["pitch", str(self.pitch), "tempo", "-s", str(self.tempo)]
        placed = ["treble", str(self.tone), "reverb", str(self.room), "50", "20"]
        return ["norm", "-6", *shaped, *placed, "norm", str(self.level)]


VOICES = {
    "clara": Voice(pitch=0, tempo=1.0, tone=0, level=-4, room=4),
    "elena": Voice(pitch=110, tempo=0.97, tone=2, level=-5, room=6),
    "vera": Voice(pitch=180, tempo=1.03, tone=1, level=-7, room=8),
    "bruno": Voice(pitch=-400, tempo=0.98, tone=-2, level=-6, room=6),
    "dario": Voice(pitch=-350, tempo=0.93, tone=1, level=-7, room=8),
    "tomas": Voice(pitch=-320, tempo=1.02, tone=-1, level=-4, room=4),
}


class ScriptTurn(TypedDict):
    speaker: str
    text: str


class Script(TypedDict):
    id: str
    voices: dict[str, str]
    turns: list[ScriptTurn]


class SpokenTurn(TypedDict):
    speaker: str
    start: float
    end: float
    text: str


def speak(text: str, voice: Voice, folder: Path) -> array.array[int]:
    """One turn as 16-bit samples at RATE, cut to the speech in it."""
    wav = folder / "turn.wav"
    subprocess.run(["pico2wave", "-l", "es-ES", "-w", str(wav), text], check=True)
    raw = ["-t", "raw", "-r", str(RATE), "-e", "signed", "-b", "16", "-c", "1", "-"]
    # -R: the same dither every time, so that an unchanged conversation gives the same bytes.
    command = ["sox", "-V1", "-R", str(wav), *raw, *voice.effects()]
    samples = array.array("h", subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    loud = [index for index, sample in enumerate(samples) if abs(sample) > SPEECH]
    if not loud:
        raise SystemExit(f"the voice said nothing for: {text}")
    return samples[max(0, loud[0] - EDGE) : loud[-1] + EDGE]


def assemble(script: Script) -> tuple[array.array[int], list[SpokenTurn]]:
    """The whole conversation with pauses of 0.2-0.8 s between turns, and when each was said."""
    pauses = random.Random(script["id"])  # noqa: S311  (repeatable, not secret)
    samples = array.array("h", bytes(RATE))
    turns: list[SpokenTurn] = []
    with tempfile.TemporaryDirectory() as folder:
        for turn in script["turns"]:
            if turns:
                samples.extend(array.array("h", bytes(2 * int(pauses.uniform(0.2, 0.8) * RATE))))
            start = len(samples)
            voice = VOICES[script["voices"][turn["speaker"]]]
            samples.extend(speak(turn["text"], voice, Path(folder)))
            turns.append(
                {
                    "speaker": turn["speaker"],
                    "start": round(start / RATE, 3),
                    "end": round(len(samples) / RATE, 3),
                    "text": turn["text"],
                }
            )
    samples.extend(array.array("h", bytes(RATE)))
    return samples, turns


def encode(samples: array.array[int], target: Path) -> None:
    """Write Ogg Opus, with the faint hiss of a quiet room instead of digital silence."""
    hiss = f"anoisesrc=color=pink:amplitude=0.003:seed=7:sample_rate={RATE}"
    mix = "[0][1]amix=inputs=2:duration=first:normalize=0"
    source = ["-f", "s16le", "-ar", str(RATE), "-ac", "1", "-i", "-", "-f", "lavfi", "-i", hiss]
    opus = ["-c:a", "libopus", "-b:a", "24k", "-application", "voip", "-ar", str(RATE)]
    label = ["-metadata", "comment=Voces sintéticas, conversación inventada", "-bitexact"]
    command = ["ffmpeg", "-v", "error", "-y", *source, "-filter_complex", mix, *opus, *label]
    subprocess.run([*command, str(target)], check=True, input=samples.tobytes())


def make(script_file: Path, folder: Path) -> str:
    """Make the audio and the reference of one script; say what was made in one line."""
    script: Script = json.loads(script_file.read_text(encoding="utf-8"))
    samples, turns = assemble(script)
    audio = folder / f"{script['id']}.ogg"
    encode(samples, audio)
    duration = round(len(samples) / RATE, 3)
    rows = ",\n".join("    " + json.dumps(turn, ensure_ascii=False) for turn in turns)
    reference = f'{{\n  "duration": {duration},\n  "turns": [\n{rows}\n  ]\n}}\n'
    audio.with_suffix(".json").write_text(reference, encoding="utf-8")
    return f"{audio.relative_to(ROOT)}  {duration:.1f} s  {audio.stat().st_size // 1024} KB"


def main() -> None:
    parser = argparse.ArgumentParser(description="Speak the written conversations.")
    parser.add_argument("ids", nargs="*", help="only these conversations (default: all)")
    wanted = parser.parse_args().ids
    missing = [package for program, package in PROGRAMS.items() if not shutil.which(program)]
    if missing:
        sys.exit(f"Install first, with apt: {', '.join(missing)}. See demo/README.md.")
    scripts = [(file, out) for src, out in FOLDERS for file in sorted(src.glob("*.json"))]
    unknown = set(wanted) - {file.stem for file, _ in scripts}
    if unknown:
        sys.exit(f"No such conversation: {', '.join(sorted(unknown))}")
    for file, out in scripts:
        if not wanted or file.stem in wanted:
            print(make(file, out), flush=True)


if __name__ == "__main__":
    main()
