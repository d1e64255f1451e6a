"""Live recording: is anything lost, how fast is it acknowledged, written down, ticked?

    python -m bench.live [--json] [--recordings 1,20,100] [--sessions 8,12]

Starts an installation of its own in a temporary data folder, speaks its protocol as browsers
would (`bench/recorder.py`), in real time, and removes it. See README.md beside this file.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import psutil

from bench.client import Pieces, Portal
from bench.installation import PROJECT, installation, running
from bench.pipeline import child
from bench.recorder import Recorded, end, frames_of, pcm_of, record, start
from portal.live.journal import read
from portal.live.protocol import Audio

EVAL = PROJECT / "bench" / "eval"
LABELLED = sorted((EVAL / "audio").glob("*.ogg"))
SPOKEN = [*sorted((PROJECT / "demo" / "audio").glob("*.ogg")), *LABELLED]
SECONDS_EACH = 30
LINGER = 12.0
"""Seconds after the last word, for the text and the ticks that are still to come."""

Figures = dict[str, float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one flat object as the last line")
    parser.add_argument("--recordings", default="1,20,100", type=numbers)
    parser.add_argument("--sessions", default="8,12", type=numbers)
    arguments = parser.parse_args()

    with installation() as (data, environment), running(environment) as (portal, supervisor, _):
        offices = Offices(portal, environment)
        figures: Figures = {}
        for number in arguments.recordings:
            figures |= told(recordings(offices, data, number))
        figures |= told(agreement(offices))
        for number in arguments.sessions:
            first = number == arguments.sessions[0]
            figures |= told(sessions(offices, supervisor, number, first=first))
    report(figures, arguments)


def told(figures: Figures) -> Figures:
    """The whole takes a quarter of an hour: whoever waits sees what is known so far."""
    print(figures, file=sys.stderr, flush=True)
    return figures


def numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


class Offices:
    """Makes employees as they are needed; each records one conversation."""

    def __init__(self, portal: Portal, environment: dict[str, str]) -> None:
        self.portal = portal
        self.environment = environment

    def employees(self, number: int) -> list[tuple[Portal, str]]:
        """-> (a client who is signed in, a participant who consented) each"""
        done = subprocess.run(
            [sys.executable, "-m", "bench.people", str(number)],
            env={**self.environment, "PORTAL_DATABASE_URL": database_url(self.environment)},
            cwd=PROJECT,
            check=True,
            capture_output=True,
        )
        return [
            (Portal(self.portal.host, self.portal.port, who["cookies"]), who["participant"])
            for who in json.loads(done.stdout)
        ]


def database_url(environment: dict[str, str]) -> str:
    """Of the server that the installation runs itself."""
    from portal.operations.database import embedded_url

    return embedded_url(Path(environment["PORTAL_DATA"]))


def recordings(offices: Offices, data: Path, number: int) -> Figures:
    """``number`` recordings at once: what was acknowledged when, and is it on disk as sent?"""
    spoken = [pcm_of(path) for path in SPOKEN]
    length = SECONDS_EACH * 32_000
    employees = offices.employees(number)
    started = [start(portal, participant) for portal, participant in employees]

    async def everyone() -> list[Recorded]:
        return await asyncio.gather(
            *(
                record(portal, addresses, pcm[:length], wait=i % 25 / 100)
                for i, ((portal, _), addresses, pcm) in enumerate(
                    zip(employees, started, itertools.cycle(spoken), strict=False)
                )
            )
        )

    done = asyncio.run(everyone())
    lost = sum(frames_lost(recorded, data) for recorded in done)
    for (portal, _), addresses in zip(employees, started, strict=True):
        end(portal, addresses["discard"])
    acks = [seconds * 1000 for recorded in done for seconds in recorded.acks]
    return {
        f"frames_lost_{number}": float(lost),
        f"ack_p50_ms_{number}": percentile(acks, 50),
        f"ack_p95_ms_{number}": percentile(acks, 95),
    }


def frames_lost(recorded: Recorded, data: Path) -> int:
    """Frames that are not in the journals exactly as they were sent, in their order."""
    journals = sorted((data / "recordings" / "live" / recorded.id).glob("*.journal"))
    kept = b"".join(
        entry.pcm for path in journals for entry, _ in read(path) if isinstance(entry, Audio)
    )
    there = frames_of(kept)
    return sum(
        frame != other
        for frame, other in itertools.zip_longest(recorded.sent, there, fillvalue=None)
    )


def sessions(offices: Offices, supervisor: psutil.Process, number: int, *, first: bool) -> Figures:
    """``number`` conversations at once, each to its end, all to be written down meanwhile."""
    audio = [SPOKEN[i % len(SPOKEN)] for i in range(number)]
    pcm = {path: pcm_of(path) for path in set(audio)}
    employees = offices.employees(number)
    started = [start(portal, participant) for portal, participant in employees]
    recogniser = child(supervisor, "recogniser")
    before = cpu_seconds(recogniser)

    async def everyone() -> list[Recorded]:
        return await asyncio.gather(
            *(
                record(portal, addresses, pcm[path], linger=LINGER, wait=i * 0.7)
                for i, ((portal, _), addresses, path) in enumerate(
                    zip(employees, started, audio, strict=True)
                )
            )
        )

    done = asyncio.run(everyone())
    worked = cpu_seconds(recogniser) - before
    for (portal, _), addresses in zip(employees, started, strict=True):
        end(portal, addresses["discard"])
    live = [
        (recorded, path)
        for recorded, path in zip(done, audio, strict=True)
        if all(message["status"] != "later" for _, message in recorded.of("transcription"))
    ]
    commits = [d for recorded, path in live for d in commit_delays(recorded, path)]
    ticks = [delay for recorded, _ in live for delay in tick_delays(recorded)]
    seconds = sum(len(pcm[path]) / 32_000 for path in audio)
    figures = {
        f"sessions_live_of_{number}": float(len(live)),
        f"load_of_{number}": worked / seconds,
        f"commit_p50_s_{number}": percentile(commits, 50),
        f"commit_p95_s_{number}": percentile(commits, 95),
        f"tick_p50_s_{number}": percentile(ticks, 50),
        f"tick_p95_s_{number}": percentile(ticks, 95),
        f"recogniser_peak_mb_{number}": recogniser.memory_info().rss / 1024 / 1024,
    }
    if first:
        figures |= {
            "load_per_session": figures[f"load_of_{number}"],
            "commit_p50_s": figures[f"commit_p50_s_{number}"],
            "commit_p95_s": figures[f"commit_p95_s_{number}"],
            "tick_p50_s": figures[f"tick_p50_s_{number}"],
        }
    return figures


def agreement(offices: Offices) -> Figures:
    """The labelled conversations, one alone at a time: what was heard live against what the
    pipeline makes of the same file, uploaded for somebody else, and against what was said."""
    same, questions = 0, 0
    live, final = WordErrors(), WordErrors()
    between = WordErrors()
    for path in LABELLED:
        said = " ".join(turn["text"] for turn in labels(path))
        [(portal, participant), (other, uploaded)] = offices.employees(2)
        addresses = start(portal, participant)
        heard = asyncio.run(record(portal, addresses, pcm_of(path), linger=LINGER))
        end(portal, addresses["discard"])
        consent = other.api("POST", f"/participants/{uploaded}/consents", CONSENT)["id"]
        pieces = Pieces(path.read_bytes(), path.stat().st_size)
        other.upload(participant=uploaded, consent=consent, name=path.name, pieces=pieces)
        conversation = other.wait(uploaded)
        transcript = other.api("GET", f"/conversations/{conversation['id']}/transcript")
        finally_said = " ".join(turn["text"] for turn in transcript["turns"])
        text = " ".join(turn["text"] for turn in turns(heard))
        live.add(said, text)
        final.add(said, finally_said)
        between.add(finally_said, text)
        ticks = {
            tick["question"]: tick["state"]
            for _, message in heard.of("coverage")
            for tick in message["ticks"]
        }
        sheet = other.api("GET", f"/participants/{uploaded}/sheet")
        for answer in sheet["answers"]:
            questions += 1
            same += ticks.get(answer["question"], "unasked") == answer["state"]
    return {
        "tick_agreement": same / questions,
        "live_wer": live.rate,
        "final_wer": final.rate,
        "live_wer_against_final": between.rate,
    }


CONSENT = {"record": True, "analyse": True}


class WordErrors:
    """Counted as in the scorer of `eval/`, over several texts."""

    def __init__(self) -> None:
        self.errors = self.words = 0

    def add(self, reference: str, recognised: str) -> None:
        sys.path.insert(0, str(EVAL))
        import score

        wanted = score.words_of(reference)
        self.errors += score.edit_distance(wanted, score.words_of(recognised))
        self.words += len(wanted)

    @property
    def rate(self) -> float:
        return self.errors / self.words


def labels(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.with_suffix(".json").read_text())["turns"]
    return found


def turns(recorded: Recorded) -> list[dict[str, Any]]:
    """What was written down, each turn as it was last told."""
    latest = {
        turn["position"]: turn for _, message in recorded.of("turns") for turn in message["turns"]
    }
    return [latest[position] for position in sorted(latest)]


def first_told(recorded: Recorded) -> list[tuple[float, dict[str, Any]]]:
    """When each turn was first told."""
    known: dict[int, tuple[float, dict[str, Any]]] = {}
    for when, message in recorded.of("turns"):
        for turn in message["turns"]:
            known.setdefault(turn["position"], (when, turn))
    return [known[position] for position in sorted(known)]


def commit_delays(recorded: Recorded, path: Path) -> Iterable[float]:
    """Seconds from the end of each labelled utterance to its text."""
    told = first_told(recorded)
    for label in labels(path):
        spoken = recorded.began + label["end"]
        # The label's end and the recogniser's differ by a few tenths of a second.
        until = [when for when, turn in told if turn["end"] >= label["end"] - 0.4]
        if until:
            yield max(0.0, min(until) - spoken)


def tick_delays(recorded: Recorded) -> Iterable[float]:
    """Seconds from each turn's text to the tick that quotes it."""
    told = first_told(recorded)
    seen: set[tuple[str, str]] = set()
    for when, message in recorded.of("coverage"):
        for tick in message["ticks"]:
            key = (tick["question"], tick["state"])
            if key in seen or tick["start"] is None:
                continue
            seen.add(key)
            of = [at for at, t in told if t["start"] - 0.05 <= tick["start"] <= t["end"] + 0.05]
            if of:
                yield max(0.0, when - min(of))


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def percentile(values: Sequence[float], share: int) -> float:
    """Nothing measured is no good figure: it is infinite."""
    if len(values) < 2:
        return values[0] if values else float("inf")
    return statistics.quantiles(values, n=100, method="inclusive")[share - 1]


def table(arguments: argparse.Namespace) -> Iterable[tuple[str, str, str]]:
    """(figure, what it is, what to reach)"""
    for n in arguments.recordings:
        yield f"frames_lost_{n}", f"{n} recordings at once: frames lost", "0"
        yield f"ack_p50_ms_{n}", "  acknowledged after, median, ms", ""
        yield f"ack_p95_ms_{n}", "  acknowledged after, 95 of 100, ms", "< 250"
    for n in arguments.sessions:
        yield f"sessions_live_of_{n}", f"{n} sessions: written down live to the end", "8"
        yield f"load_of_{n}", "  seconds of work per second of audio, per session", "< 0.3"
        yield f"commit_p50_s_{n}", "  end of an utterance to its text, median, s", "< 2"
        yield f"commit_p95_s_{n}", "  end of an utterance to its text, 95 of 100, s", "< 5"
        yield f"tick_p50_s_{n}", "  text to its tick, median, s", "< 1"
        yield f"tick_p95_s_{n}", "  text to its tick, 95 of 100, s", ""
        yield f"recogniser_peak_mb_{n}", "  recogniser, memory at the end, MB", ""
    yield "tick_agreement", "questions whose live state is that of the final pass", ">= 0.9"
    yield "live_wer", "word error rate, live", ""
    yield "final_wer", "word error rate, final pass", ""
    yield "live_wer_against_final", "word error rate of live against the final pass", ""


def report(figures: Figures, arguments: argparse.Namespace) -> None:
    figures["sessions_live"] = max(figures[f"sessions_live_of_{n}"] for n in arguments.sessions)
    print(f"{len(SPOKEN)} conversations in turn; {time.strftime('%Y-%m-%d')}")
    for name, what, wanted in table(arguments):
        print(f"{what:<66}{figures[name]:>10.2f}  {wanted}")
    if arguments.json:
        rounded = {name: round(value, 4) for name, value in figures.items()}
        print(json.dumps(rounded))


if __name__ == "__main__":
    main()
