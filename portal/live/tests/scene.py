"""A recording with audio on disk and something heard in it, for the tests of services and pages."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import uuid4

from portal.analysis.engines.base import Evidence, Finding
from portal.live import services
from portal.live.journal import Journal
from portal.live.merging import merged
from portal.live.models import LivePart, LiveRecording, LiveTick
from portal.live.protocol import SAMPLE_RATE, Audio, Entry, Gap, GapKind
from portal.speech.engines import base as speech

SAID = (
    ("empleado", 0.0, "¿Está usted empadronada en algún sitio?"),
    ("usuario", 4.0, "Sí, en la calle Olmo, desde marzo."),
    ("empleado", 8.0, "¿Y entra algún dinero en casa?"),
    ("usuario", 12.0, "De eso prefiero no hablar."),
)
PADRON = Finding("empadronamiento", "answered", "Sí", (Evidence(1, "calle Olmo"),), 0.8)
DECLINED = Finding("ingresos", "declined", "", (Evidence(3, "prefiero no hablar"),), 0.9)
ASKED = Finding("ingresos", "asked", "", (Evidence(2, "algún dinero"),), 0.5)


def pcm(seconds: float, *, level: int = 1000) -> bytes:
    return level.to_bytes(2, "little", signed=True) * int(seconds * SAMPLE_RATE)


def record(recording: LiveRecording, *pieces: bytes | tuple[GapKind, int]) -> LivePart:
    """One more part, of ``pieces`` of audio and of gaps with their ms."""
    part = services.part_for(recording=recording, token=uuid4())
    entries: list[Entry] = []
    for piece in pieces:
        if isinstance(piece, tuple):
            entries.append(Gap(len(entries), *piece))
            continue
        for start in range(0, len(piece), 8000):
            entries.append(Audio(len(entries), piece[start : start + 8000]))
    with Journal.open(part.journal) as journal:
        journal.append(entries)
    return part


def turn(speaker: str, start: float, text: str) -> speech.Turn:
    """Half a second a word."""
    words = tuple(
        speech.Word(word, start + n / 2, start + n / 2 + 0.5, 0.9)
        for n, word in enumerate(text.split())
    )
    return speech.Turn(speaker, start, words[-1].end, text, words)


def hear(part: LivePart, said: Sequence[tuple[str, float, str]] = SAID) -> None:
    services.add_turns(
        part=part,
        turns=[turn(*line) for line in said],
        heard_samples=16 * SAMPLE_RATE,
        voices={"empleado": [0.5]},
        engine="local",
        model="base",
    )


def find(recording: LiveRecording, *findings: Finding) -> list[LiveTick]:
    return services.record_ticks(
        recording=recording,
        findings=findings,
        turns=merged(list(recording.turns.select_related("part"))),
        engine="extractive",
        model="1",
    )
