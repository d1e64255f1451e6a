"""Turns and their words: where these stand in the text, and a turn as an engine gives it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from portal.conversations.models import Turn
from portal.speech.engines import base as speech


class Spoken(Protocol):
    """A turn, or one to be: ``words`` are ``[text, start, end, probability]`` in order."""

    start: float
    end: float
    text: str
    words: list[Any]


def placed(text: str, words: Sequence[Sequence[Any]]) -> Iterator[tuple[int, int, float, float]]:
    """Each word that stands in ``text``: its first character, the one after it, and its times.

    ``words`` are ``[text, start, end, probability]`` in order, as a turn keeps them; one that
    does not stand in ``text`` after the one before it is left out.
    """
    cursor = 0
    for word, start, end, *_probability in words:
        token = str(word).strip()
        found = text.find(token, cursor)
        if not token or found < 0:
            continue
        cursor = found + len(token)
        yield found, cursor, float(start), float(end)


def as_spoken(turn: Turn) -> speech.Turn:
    """By the label of its speaker, with words and their times. Reads its ``speaker``."""
    words = tuple(speech.Word(*word) for word in turn.words)
    return speech.Turn(turn.speaker.label, turn.start, turn.end, turn.text, words)
