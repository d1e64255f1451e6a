"""A transcript as JSON, WebVTT, SubRip and plain text, and back from JSON.

The JSON is an interface (other programs read it); its form is in ``docs/`` and in ``to_json``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from portal.speech.engines.base import Transcript, Turn, Word

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class NotATranscript(Exception):
    """The text is not the JSON of a transcript. The message is in Spanish."""


def to_dict(transcript: Transcript, roles: Mapping[str, str] | None = None) -> dict[str, Any]:
    """``{"duration", "language", "engine", "model", "turns": [{"speaker", "start", "end", "text",
    "words": [{"text", "start", "end", "probability"}]}]}``, times in seconds.

    ``roles`` replaces speaker labels where it has one.
    """
    names = roles or {}
    return {
        "duration": transcript.duration,
        "language": transcript.language,
        "engine": transcript.engine,
        "model": transcript.model,
        "turns": [
            {
                "speaker": names.get(turn.speaker, turn.speaker),
                "start": turn.start,
                "end": turn.end,
                "text": turn.text,
                "words": [
                    {
                        "text": word.text,
                        "start": word.start,
                        "end": word.end,
                        "probability": word.probability,
                    }
                    for word in turn.words
                ],
            }
            for turn in transcript.turns
        ],
    }


def to_json(transcript: Transcript, roles: Mapping[str, str] | None = None) -> str:
    return json.dumps(to_dict(transcript, roles), ensure_ascii=False, indent=1)


def from_json(text: str) -> Transcript:
    """The transcript of ``to_json``. Only ``turns`` with ``speaker`` and ``text`` have to be there.

    Raises NotATranscript.
    """
    try:
        data = json.loads(text)
        turns = tuple(_turn(item) for item in data["turns"])
        return Transcript(
            turns=turns,
            language=str(data.get("language") or "es"),
            duration=float(data.get("duration") or max((turn.end for turn in turns), default=0.0)),
            engine=str(data.get("engine") or ""),
            model=str(data.get("model") or ""),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise NotATranscript(
            'El archivo no es una transcripción: se espera {"turns": [{"speaker", "text"}]}.'
        ) from error


def to_vtt(transcript: Transcript, roles: Mapping[str, str] | None = None) -> str:
    """WebVTT with the speaker of each cue as a voice."""
    cues = [
        f"{_clock(turn.start, '.')} --> {_clock(turn.end, '.')}\n"
        f"<v {_vtt_text(_name(turn, roles))}>{_vtt_text(turn.text)}</v>\n"
        for turn in transcript.turns
    ]
    return "\n".join(["WEBVTT\n", *cues])


def to_srt(transcript: Transcript, roles: Mapping[str, str] | None = None) -> str:
    return "\n".join(
        f"{number}\n{_clock(turn.start, ',')} --> {_clock(turn.end, ',')}\n"
        f"{_name(turn, roles)}: {one_line(turn.text)}\n"
        for number, turn in enumerate(transcript.turns, 1)
    )


def to_text(transcript: Transcript, roles: Mapping[str, str] | None = None) -> str:
    return "".join(f"{_name(turn, roles)}: {one_line(turn.text)}\n" for turn in transcript.turns)


FORMATS = {"json": to_json, "vtt": to_vtt, "srt": to_srt, "txt": to_text}


def _turn(item: Mapping[str, Any]) -> Turn:
    text = item["text"]
    if not isinstance(text, str):
        raise TypeError("text")
    return Turn(
        speaker=str(item["speaker"]),
        start=float(item.get("start") or 0.0),
        end=float(item.get("end") or item.get("start") or 0.0),
        text=text,
        words=tuple(
            Word(
                text=str(word["text"]),
                start=float(word["start"]),
                end=float(word["end"]),
                probability=float(word.get("probability", 1.0)),
            )
            for word in item.get("words") or ()
        ),
    )


def _name(turn: Turn, roles: Mapping[str, str] | None) -> str:
    return one_line((roles or {}).get(turn.speaker, turn.speaker))


def one_line(text: str) -> str:
    """Without what would begin another line, or steer a terminal that shows the file."""
    return " ".join(CONTROL.sub(" ", text).split())


def _vtt_text(text: str) -> str:
    """Text of a cue: on one line, and without what would be markup."""
    text = one_line(text).replace("&", "&amp;")
    return text.replace("<", "&lt;").replace(">", "&gt;")


def _clock(seconds: float, mark: str) -> str:
    milliseconds = round(seconds * 1000)
    hours, milliseconds = divmod(milliseconds, 3_600_000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    whole, milliseconds = divmod(milliseconds, 1000)
    return f"{hours:02d}:{minutes:02d}:{whole:02d}{mark}{milliseconds:03d}"
