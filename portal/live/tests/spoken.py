"""Recordings as a browser would leave them on disk, and recognisers that hear them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg
from django.db import connection

from portal import news
from portal.live import services
from portal.live.events import topic
from portal.live.journal import Journal
from portal.live.models import LivePart, LiveRecording
from portal.live.protocol import SAMPLE_RATE, Audio, Gap, GapKind
from portal.speech.audio import decode

FRAME_BYTES = SAMPLE_RATE // 4 * 2


def pcm_of(path: Path) -> bytes:
    """A file as 16 kHz mono s16le."""
    samples = np.concatenate([block[0] for block in decode(path)])
    return (samples * 32767).astype("<i2").tobytes()


def silence(seconds: float) -> bytes:
    return bytes(2 * int(seconds * SAMPLE_RATE))


class Browser:
    """One part of a recording, written to its journal."""

    def __init__(self, recording: LiveRecording) -> None:
        self.part: LivePart = services.part_for(recording=recording, token=uuid4())
        self._journal = Journal.open(self.part.journal)

    def sends(self, pcm: bytes, *, pace: float | None = None) -> None:
        """``pace``: seconds of sound in a second; all at once without."""
        frames = range(0, len(pcm), FRAME_BYTES)
        began = time.monotonic()
        for number, begin in enumerate(frames):
            self._journal.append([Audio(self._journal.next_seq, pcm[begin : begin + FRAME_BYTES])])
            if pace:
                time.sleep(max(0.0, began + number / 4 / pace - time.monotonic()))

    def pauses(self) -> None:
        self._journal.append([Gap(self._journal.next_seq, GapKind.PAUSED, 5000)])

    @property
    def samples(self) -> int:
        return self._journal.samples

    def close(self) -> None:
        self._journal.close()


class Recogniser:
    """The real process, at the test's database."""

    def __init__(self, media: str) -> None:
        code = (
            "import django; from django.conf import settings;"
            f"settings.DATABASES['default'].update(NAME={connection.settings_dict['NAME']!r});"
            f"settings.MEDIA_ROOT = {media!r}; django.setup();"
            "from portal.live.recogniser import run; run()"
        )
        self.process = subprocess.Popen(
            [sys.executable, "-c", code],
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "portal.settings",
                "PGAPPNAME": "recogniser",
                "OPENBLAS_NUM_THREADS": "1",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def stop(self) -> tuple[float, str]:
        """Seconds until it has ended, and what it wrote."""
        asked = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        output, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        return time.monotonic() - asked, output.decode()


class Screen(threading.Thread):
    """All that is told of recordings, in order: ``(recording, message)``."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        given = connection.get_connection_params()
        wanted = ("dbname", "user", "password", "host", "port")
        self._connection = psycopg.connect(
            **{name: given[name] for name in wanted if given.get(name)}, autocommit=True
        )
        self._connection.execute(f"LISTEN {news.CHANNEL}")
        self._ended = threading.Event()
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.times: list[float] = []

    def run(self) -> None:
        while not self._ended.is_set():
            for note in self._connection.notifies(timeout=0.2):
                told = json.loads(note.payload)
                self.times.append(time.monotonic())
                self.heard.append((told["topic"], told["message"]))
        self._connection.close()

    def of(self, recording: LiveRecording, kind: str) -> list[dict[str, Any]]:
        return [
            message
            for about, message in list(self.heard)
            if about == topic(recording.pk) and message["type"] == kind
        ]

    def end(self) -> None:
        self._ended.set()
        self.join()


@contextmanager
def screen() -> Iterator[Screen]:
    watching = Screen()
    watching.start()
    try:
        yield watching
    finally:
        watching.end()


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
