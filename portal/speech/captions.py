"""A transcript in pieces that can be read while they are heard, as subtitles want them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from portal.speech.engines.base import Transcript, Turn, Word
from portal.speech.turns import ends_sentence

MOST_CHARACTERS = 84
"""Two lines of 42, the usual measure of subtitles."""

LONGEST = 7.0
"""Seconds that one piece stands."""

SILENCE = 1.5
"""Seconds without a word after which a new piece begins."""

SHORTEST = 0.3
"""Seconds that a piece stands at least: one without length is not valid WebVTT."""

ENOUGH = MOST_CHARACTERS // 3
"""Characters after which the end of a sentence ends the piece."""


def captions(transcript: Transcript) -> Transcript:
    """``transcript`` with its turns cut between words. A turn whose words do not say its text
    (an engine gave none, or other ones) stays whole."""
    pieces = [piece for turn in transcript.turns for piece in _pieces(turn)]
    return replace(
        transcript,
        turns=tuple(replace(piece, end=max(piece.end, piece.start + SHORTEST)) for piece in pieces),
    )


def _pieces(turn: Turn) -> Iterator[Turn]:
    if _text(turn.words) != " ".join(turn.text.split()):
        yield turn
        return
    piece: list[Word] = []
    for word in turn.words:
        if piece and _is_full(piece, word):
            yield _piece(turn, piece)
            piece = []
        piece.append(word)
    if piece:
        yield _piece(turn, piece)


def _is_full(piece: Sequence[Word], following: Word) -> bool:
    length = len(_text(piece))
    return (
        length + 1 + len(following.text.strip()) > MOST_CHARACTERS
        or following.end - piece[0].start > LONGEST
        or following.start - piece[-1].end > SILENCE
        or (length >= ENOUGH and ends_sentence(piece[-1]))
    )


def _piece(turn: Turn, words: Sequence[Word]) -> Turn:
    return Turn(turn.speaker, words[0].start, words[-1].end, _text(words), tuple(words))


def _text(words: Sequence[Word]) -> str:
    return " ".join(" ".join(word.text for word in words).split())
