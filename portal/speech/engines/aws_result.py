"""What a job of AWS Transcribe leaves: its file as words of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from portal.speech.engines.base import Word


def read(answer: Mapping[str, Any]) -> tuple[list[Word], list[object], str | None]:
    """Words, the speaker or channel of each, the language. Raises KeyError, TypeError, ValueError,
    IndexError, AttributeError."""
    results = answer["results"]
    words: list[Word] = []
    speakers: list[object] = []
    channels = results.get("channel_labels", {}).get("channels")
    if channels:
        for channel in channels:
            said = _words_of(channel["items"])
            words += [word for word, _ in said]
            speakers += [channel["channel_label"]] * len(said)
    else:
        for word, speaker in _words_of(results["items"]):
            words.append(word)
            speakers.append(speaker)
    code = results.get("language_code")
    return words, speakers, str(code).split("-")[0] if code else None


def _words_of(items: Sequence[Mapping[str, Any]]) -> list[tuple[Word, object]]:
    """Words with their punctuation, and the label of who says them."""
    found: list[tuple[Word, object]] = []
    for item in items:
        best = item["alternatives"][0]
        if item["type"] == "punctuation":
            if found:
                word, speaker = found[-1]
                joined = Word(word.text + best["content"], word.start, word.end, word.probability)
                found[-1] = (joined, speaker)
            continue
        word = Word(
            str(best["content"]),
            float(item["start_time"]),
            float(item["end_time"]),
            float(best["confidence"]),
        )
        found.append((word, item.get("speaker_label")))
    return found
