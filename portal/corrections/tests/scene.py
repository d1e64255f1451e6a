"""A talk in which something is said, and heard, that must go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.conf import settings as live_settings
from django.core.files import File
from django.db import connection

from conftest import Cast
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import services as assessments
from portal.assessments.models import Answer
from portal.conversations import partfiles, playback
from portal.conversations.models import (
    Conversation,
    ProcessingStep,
    Recording,
    Speaker,
    Transcript,
    Turn,
)
from portal.conversations.steps import StepName
from portal.corrections.models import Edit, Flag
from portal.participants.models import Consent
from portal.speech import audio
from portal.speech import playback as speech
from portal.speech.tests.conftest import write_audio

LINES = (
    ("empleado", "¿Está usted empadronada en algún sitio?"),
    ("usuario", "Sí, en la calle Zarzaparrilla, con mi hermana Wenceslada desde marzo."),
    ("empleado", "¿Y entra algún dinero en casa?"),
    ("usuario", "De eso prefiero no hablar con usted."),
)
# Half a second a word; turn 1 begins at 10 s: "calle" to "Wenceslada" is from 11.5 to 14.5 s.
FIRST, LAST = 11.5, 14.5
SECRETS = ("zarzaparrilla", "wenceslada")
LOW, HIGH = 440, 3000
"""Hertz of what may be heard, and of what must go."""


@dataclass(frozen=True)
class Talk:
    conversation: Conversation
    turns: list[Turn]

    def answer(self, slug: str) -> Answer:
        return Answer.objects.get(question__slug=slug)

    @property
    def text(self) -> str:
        return self.conversation.transcript.turns.get(position=1).text


def sound(rate: int = 16_000, seconds: float = 24.0) -> np.ndarray:
    """A low tone, and a high one while the secret is said."""
    time = np.arange(int(seconds * rate)) / rate
    high = (time >= FIRST) & (time < LAST)
    signal = 0.3 * np.sin(2 * np.pi * np.where(high, HIGH, LOW) * time)
    return signal.astype(np.float32)[None]


def share_of(path: Path, hertz: int, start: float, end: float) -> float:
    """Loudness at one pitch in a stretch of a file."""
    heard = np.concatenate(list(audio.decode(path)), axis=1)[0]
    part = heard[round(start * 16_000) : round(end * 16_000)]
    wave = np.exp(-2j * np.pi * hertz * np.arange(len(part)) / 16_000)
    return float(abs(part @ wave) / max(len(part), 1))


def rows_with(words: tuple[str, ...]) -> set[str]:
    """Table and column of everything in the database that holds one of the words."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = 'public' AND data_type IN "
            "('text', 'character varying', 'jsonb', 'json', 'bytea', 'ARRAY')"
        )
        for table, column, kind in cursor.fetchall():
            value = f"encode(\"{column}\", 'escape')" if kind == "bytea" else f'"{column}"::text'
            for word in words:
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" WHERE {value} ILIKE %s',  # noqa: S608
                    [f"%{word}%"],
                )
                if cursor.fetchone() != (0,):
                    found.add(f"{table}.{column}")
    return found


def files() -> list[Path]:
    folder = Path(live_settings.MEDIA_ROOT)
    return sorted(path for path in folder.rglob("*") if path.is_file())


def files_with(words: tuple[str, ...]) -> list[Path]:
    return [p for p in files() if any(w.encode() in p.read_bytes().lower() for w in words)]


def files_that_sound() -> list[Path]:
    """Those in which what must go can be heard."""
    return [path for path in files() if share_of(path, HIGH, FIRST, LAST) > 0.001]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path / "recordings"
    return tmp_path / "recordings"


def make_talk(
    cast: Cast, consent: Consent, path: Path, *, played: bool = True, **fields: Any
) -> Talk:
    made = Conversation.objects.create(
        participant=consent.participant,
        consent=consent,
        created_by=cast.owner,
        engine="local",
        status=Conversation.Status.READY,
        title="Vive en Zarzaparrilla",
        description="Vive con su hermana desde marzo.",
        duration=24.0,
        **fields,
    )
    recording = Recording(
        conversation=made,
        original_name=path.name,
        size=path.stat().st_size,
        sha256=partfiles.sha256(path),
        sample_rate=16_000,
        channels=1,
    )
    with path.open("rb") as file:
        recording.file.save(path.name, File(file))
    for position, name in enumerate(StepName):
        ProcessingStep.objects.create(
            conversation=made, name=name, position=position, state="done", progress=1.0
        )
    transcript = Transcript.objects.create(
        conversation=made, engine="local", model="base", language="es", duration=24.0
    )
    speakers = {
        role: Speaker.objects.create(transcript=transcript, label=label, role=role)
        for label, role in (("S1", "empleado"), ("S2", "usuario"))
    }
    turns = []
    for position, (begin, (role, text)) in enumerate(zip((0, 10, 17, 20), LINES, strict=True)):
        words = [
            [f" {w}", begin + n * 0.5, begin + n * 0.5 + 0.5, 0.9]
            for n, w in enumerate(text.split())
        ]
        turns.append(
            Turn.objects.create(
                transcript=transcript,
                speaker=speakers[role],
                position=position,
                start=begin,
                end=words[-1][2],
                text=text,
                words=words,
            )
        )
    assessments.record_findings(
        conversation=made,
        findings=[
            Finding(
                "empadronamiento",
                "answered",
                "En la calle Zarzaparrilla",
                (Evidence(1, "calle Zarzaparrilla"),),
                0.8,
            ),
            Finding("ingresos", "declined", "", (Evidence(3, "prefiero no hablar"),)),
            # Proven by what stays, told with what goes.
            Finding("redes_apoyo", "answered", "Wenceslada", (Evidence(1, "desde marzo."),)),
        ],
        turns=turns,
        engine="extractive",
        model="1",
    )
    snapshot = {
        "turns": [
            {
                "id": turns[1].pk,
                "speaker": turns[1].speaker_id,
                "version": 0,
                "start": turns[1].start,
                "end": turns[1].end,
                "text": turns[1].text.replace("Wenceslada", "Wenceslava"),
                "words": [
                    [w[0].replace("Wenceslada", "Wenceslava"), *w[1:]] for w in turns[1].words
                ],
            }
        ],
        "speakers": [{"id": 1, "label": "S2", "role": "usuario", "name": "Wenceslada P."}],
    }
    Edit.objects.create(
        conversation=made, employee=cast.owner, kind="text", before=snapshot, after=snapshot
    )
    for start, quote in ((12.0, "Zarzaparrilla,"), (20.0, "prefiero")):
        Flag.objects.create(
            conversation=made, turn=turns[1], kind="name", start=start, end=start + 1, quote=quote
        )
    if played:
        draft = playback.draft_path(made)
        playback.save(conversation=made, draft=draft, sound=speech.make(path, draft))
    return Talk(made, turns)


@pytest.fixture
def talk(cast: Cast, consent: Consent, tmp_path: Path) -> Talk:
    path = write_audio(tmp_path / "original.wav", sound(), rate=16_000)
    return make_talk(cast, consent, path)
