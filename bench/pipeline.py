"""From a received file to a filled ficha, as ratios in one run; see README.md beside this file.

    python -m bench.pipeline [--json] [--runs 3] [--receive-mb 2048] [--minutes 6]

Starts an installation of its own in a temporary data folder (the models of this checkout are
linked in), uses it over HTTP as a browser would, and removes it.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

import av
import psutil

from bench.client import Pieces, Portal, seconds_between
from bench.installation import MODELS, PROJECT, command, installation, running

EMAIL, PASSWORD = "bench@example.org", secrets.token_urlsafe(16)
MB = 1024 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one flat object as the last line")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--minutes", type=float, default=6, help="length of the file processed")
    parser.add_argument("--receive-mb", type=int, default=2048)
    arguments = parser.parse_args()

    figures: dict[str, float] = {}
    with installation() as (data, environment):
        audio = data / "bench.wav"
        seconds = speech(audio, arguments.minutes * 60)
        with running(environment):
            who = ["--email", EMAIL, "--name", "Bench", "--team", "Bench", "--password-stdin"]
            command(["createadmin", *who], environment, text=PASSWORD)
        with running(environment) as (portal, supervisor, start_s):
            figures["start_s"] = start_s
            figures |= pipeline(portal, supervisor, audio, seconds, arguments.runs)
            figures |= receiving(portal, supervisor, arguments.receive_mb)
    report(figures, arguments)


def speech(path: Path, seconds: float) -> float:
    """Write the demo conversations after one another, again and again, as 16 kHz mono WAV."""
    sources = sorted((PROJECT / "demo" / "audio").glob("*.ogg"))
    written = 0
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_s16le", rate=16000, layout="mono")
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16000)
        while written < seconds * 16000:
            with av.open(str(sources.pop(0))) as source:
                for frame in source.decode(audio=0):
                    for resampled in resampler.resample(frame):
                        resampled.pts = None
                        written += resampled.samples
                        out.mux(stream.encode(resampled))
            sources = sources or sorted((PROJECT / "demo" / "audio").glob("*.ogg"))
        out.mux(stream.encode(None))
    return written / 16000


def pipeline(
    portal: Portal, supervisor: psutil.Process, audio: Path, seconds: float, runs: int
) -> dict[str, float]:
    portal.sign_in(EMAIL, PASSWORD)
    content = audio.read_bytes()
    threads = int(os.environ.get("PORTAL_CPU_THREADS", "2"))
    bare = subprocess.Popen(
        [sys.executable, "-m", "bench.bare_whisper", str(whisper_folder()), str(threads)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert bare.stdin is not None and bare.stdout is not None
    bare.stdout.readline()

    def floor() -> float:
        assert bare.stdin is not None and bare.stdout is not None
        bare.stdin.write(f"{audio}\n")
        bare.stdin.flush()
        return float(bare.stdout.readline())

    def ours(number: int) -> float:
        participant, consent = portal.new_participant(f"Persona {number}")
        pieces = Pieces(content, len(content))
        portal.upload(participant=participant, consent=consent, name="bench.wav", pieces=pieces)
        done = portal.wait(participant)
        if done["status"] != "ready":
            raise SystemExit(f"the pipeline ended as {done['status']}: {done['steps']}")
        # From the row that queues the work to the last step's end, model loaded before.
        return seconds_between(done["created_at"], done["steps"][-1]["finished_at"])

    try:
        ours(0), floor()  # neither counts: both load models and caches
        pairs = [(ours(number), floor()) for number in range(1, runs + 1)]
    finally:
        bare.stdin.close()
        bare.wait(30)
    return {
        "audio_s": seconds,
        "pipeline_s": statistics.median(pair[0] for pair in pairs),
        "bare_whisper_s": statistics.median(pair[1] for pair in pairs),
        "overhead_ratio": statistics.median(pair[0] / pair[1] for pair in pairs),
        "real_time_factor": statistics.median(pair[0] for pair in pairs) / seconds,
        "worker_peak_mb": peak_mb(child(supervisor, "worker")),
        "web_peak_mb": peak_mb(child(supervisor, "web")),
    }


def whisper_folder() -> Path:
    from portal.speech.models import resolve_whisper

    return resolve_whisper("auto", models_dir=MODELS)


def receiving(portal: Portal, supervisor: psutil.Process, megabytes: int) -> dict[str, float]:
    """Memory of the web process above idle while a huge file comes in."""
    web = child(supervisor, "web")
    participant, consent = portal.new_participant("Persona con un archivo enorme")
    small = Pieces(secrets.token_bytes(MB), 24 * MB)
    portal.upload(participant=participant, consent=consent, name="idle.wav", pieces=small)
    idle = web.memory_info().rss
    peak = idle
    done = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.02):
            peak = max(peak, web.memory_info().rss)

    watcher = threading.Thread(target=watch)
    watcher.start()
    started = time.perf_counter()
    huge = Pieces(secrets.token_bytes(16 * MB), megabytes * MB)
    portal.upload(participant=participant, consent=consent, name="huge.wav", pieces=huge)
    seconds = time.perf_counter() - started
    done.set()
    watcher.join()
    return {
        "receive_extra_mb": (peak - idle) / MB,
        "receive_mb": float(megabytes),
        "receive_mb_per_s": megabytes / seconds,
    }


def child(supervisor: psutil.Process, command: str) -> psutil.Process:
    """The biggest process of the supervisor's that runs ``portal web`` or ``portal worker``."""
    found = [
        process
        for process in supervisor.children(recursive=True)
        if command in process.cmdline()[1:4]
    ]
    if not found:
        raise SystemExit(f"no {command} process under the supervisor")
    return max(found, key=lambda process: process.memory_info().rss)


def peak_mb(process: psutil.Process) -> float:
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("Linux says the peak of every process")


TABLE = (
    ("overhead_ratio", "whole pipeline / bare faster-whisper, same file, model, threads", 1.25),
    ("real_time_factor", "whole pipeline / length of the audio", None),
    ("pipeline_s", "whole pipeline, seconds", None),
    ("bare_whisper_s", "bare faster-whisper, seconds", None),
    ("worker_peak_mb", "worker, peak memory, MB", None),
    ("web_peak_mb", "web, peak memory, MB", None),
    ("receive_extra_mb", "web, memory above idle while receiving, MB", 64),
    ("receive_mb_per_s", "receiving, MB/s", None),
    ("start_s", "`make run` when installed, to the first page, seconds", 15),
)


def report(figures: dict[str, float], arguments: argparse.Namespace) -> None:
    print(
        f"audio {figures['audio_s']:.0f} s, {arguments.runs} runs, medians; "
        f"received file {figures['receive_mb']:.0f} MB"
    )
    for name, what, wanted in TABLE:
        bar = f"<= {wanted}" if wanted is not None else ""
        print(f"{what:<66}{figures[name]:>10.2f}  {bar}")
    if arguments.json:
        print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
