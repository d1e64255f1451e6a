"""From a received file to a filled ficha, as ratios in one run; see README.md beside this file.

    python -m bench.pipeline [--json] [--receive-mb 2048]

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

import psutil

from bench.client import Pieces, Portal, seconds_between
from bench.installation import MODELS, PROJECT, command, installation, running

CONVERSATIONS = sorted((PROJECT / "demo" / "audio").glob("*.ogg"))
WARM_UP = PROJECT / "tests" / "audio" / "dialogue.ogg"
EMAIL, PASSWORD = "bench@example.org", secrets.token_urlsafe(16)
MB = 1024 * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one flat object as the last line")
    parser.add_argument("--receive-mb", type=int, default=2048)
    arguments = parser.parse_args()

    figures: dict[str, float] = {}
    with installation() as (_, environment):
        with running(environment):
            who = ["--email", EMAIL, "--name", "Bench", "--team", "Bench", "--password-stdin"]
            command(["createadmin", *who], environment, text=PASSWORD)
        with running(environment) as (portal, supervisor, start_s):
            figures["start_s"] = start_s
            figures |= pipeline(portal, supervisor)
            figures |= receiving(portal, supervisor, arguments.receive_mb)
    report(figures, arguments)


def pipeline(portal: Portal, supervisor: psutil.Process) -> dict[str, float]:
    """The demo's conversations, each once: nothing of one can have been kept for the next."""
    portal.sign_in(EMAIL, PASSWORD)
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

    def floor(audio: Path) -> float:
        assert bare.stdin is not None and bare.stdout is not None
        bare.stdin.write(f"{audio}\n")
        bare.stdin.flush()
        return float(bare.stdout.readline())

    def ours(audio: Path) -> dict[str, float]:
        participant, consent = portal.new_participant(audio.stem.capitalize())
        content = audio.read_bytes()
        pieces = Pieces(content, len(content))
        portal.upload(participant=participant, consent=consent, name=audio.name, pieces=pieces)
        done = portal.wait(participant)
        if done["status"] != "ready":
            raise SystemExit(f"the pipeline ended as {done['status']}: {done['steps']}")
        taken = {
            f"step_{step['name']}_s": seconds_between(step["started_at"], step["finished_at"])
            for step in done["steps"]
        }
        # From the row that queues the work to the notification, model loaded before. What is
        # played is made afterwards, when nobody waits any more.
        notified = next(step for step in done["steps"] if step["name"] == "notify")
        whole = seconds_between(done["created_at"], notified["finished_at"])
        return {"pipeline_s": whole, "audio_s": done["duration"], **taken}

    try:
        for process in (ours, floor):  # neither counts: they load models and caches
            process(WARM_UP)
        runs = [{**ours(audio), "bare_whisper_s": floor(audio)} for audio in CONVERSATIONS]
    finally:
        bare.stdin.close()
        bare.wait(30)
    for run in runs:
        run["overhead_ratio"] = run["pipeline_s"] / run["bare_whisper_s"]
        run["real_time_factor"] = run["pipeline_s"] / run["audio_s"]
    return {
        **{name: statistics.median(run[name] for run in runs) for name in runs[0]},
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
    ("step_probe_s", "  of which: is it audio", None),
    ("step_transcribe_s", "  transcribe, and tell voices apart", None),
    ("step_attribute_s", "  who is who", None),
    ("step_describe_s", "  title and summary", None),
    ("step_assess_s", "  ficha", None),
    ("step_playback_s", "  afterwards: what is played, and its waveform", None),
    ("bare_whisper_s", "bare faster-whisper, seconds", None),
    ("worker_peak_mb", "worker, peak memory, MB", None),
    ("web_peak_mb", "web, peak memory, MB", None),
    ("receive_extra_mb", "web, memory above idle while receiving, MB", 64),
    ("receive_mb_per_s", "receiving, MB/s", None),
    ("start_s", "`make run` when installed, to the first page, seconds", 15),
)


def report(figures: dict[str, float], arguments: argparse.Namespace) -> None:
    print(
        f"{len(CONVERSATIONS)} conversations of {figures['audio_s']:.0f} s (medians); "
        f"received file {figures['receive_mb']:.0f} MB"
    )
    for name, what, wanted in TABLE:
        bar = f"<= {wanted}" if wanted is not None else ""
        print(f"{what:<66}{figures[name]:>10.2f}  {bar}")
    if arguments.json:
        print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
