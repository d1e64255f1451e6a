from __future__ import annotations

import json

import pytest

from portal.speech import formats
from portal.speech.engines.base import Transcript, Turn, Word

TRANSCRIPT = Transcript(
    turns=(
        Turn("S1", 0.5, 2.25, "¿Vive  <solo>?", (Word("¿Vive", 0.5, 1.0, 0.9),)),
        Turn("S2", 3661.0, 3662.5, "Sí & no --> ya."),
    ),
    language="es",
    duration=3700.0,
    engine="local",
    model="base",
)


def test_json_comes_back_the_same() -> None:
    assert formats.from_json(formats.to_json(TRANSCRIPT)) == TRANSCRIPT


def test_json_is_the_published_interface() -> None:
    data = json.loads(formats.to_json(TRANSCRIPT, {"S1": "empleado"}))
    assert list(data) == ["duration", "language", "engine", "model", "turns"]
    assert [turn["speaker"] for turn in data["turns"]] == ["empleado", "S2"]
    assert list(data["turns"][0]) == ["speaker", "start", "end", "text", "words"]
    assert data["turns"][0]["words"] == [
        {"text": "¿Vive", "start": 0.5, "end": 1.0, "probability": 0.9}
    ]


def test_a_written_interview_needs_speaker_and_text_only() -> None:
    transcript = formats.from_json('{"turns": [{"speaker": "usuario", "text": "Hola"}]}')
    assert transcript.turns == (Turn("usuario", 0.0, 0.0, "Hola"),)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"turns": [{"text": "a"}]}', '{"turns": [{"speaker": "a", "text": 1}]}'],
)
def test_other_json_is_refused(text: str) -> None:
    with pytest.raises(formats.NotATranscript):
        formats.from_json(text)


def test_webvtt_escapes_what_would_be_markup() -> None:
    assert formats.to_vtt(TRANSCRIPT, {"S2": "usuario"}) == (
        "WEBVTT\n\n"
        "00:00:00.500 --> 00:00:02.250\n<v S1>¿Vive &lt;solo&gt;?</v>\n\n"
        "01:01:01.000 --> 01:01:02.500\n<v usuario>Sí &amp; no --&gt; ya.</v>\n"
    )


def test_subrip() -> None:
    assert formats.to_srt(TRANSCRIPT).startswith(
        "1\n00:00:00,500 --> 00:00:02,250\nS1: ¿Vive <solo>?\n\n2\n01:01:01,000"
    )


def test_plain_text() -> None:
    assert formats.to_text(TRANSCRIPT) == "S1: ¿Vive <solo>?\nS2: Sí & no --> ya.\n"
