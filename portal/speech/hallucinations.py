"""What Whisper writes when nobody says it: loops, credits of subtitles, words over silence."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping, Sequence

from portal.speech.engines.base import Word

MOST_REPEATS = {1: 5, 2: 3, 3: 3}
"""How often a phrase of so many words may follow itself; people do say «sí, sí, sí»."""

MOST_REPEATS_LONGER = 2
LONGEST_PHRASE = 30
"""Words. A whole sentence is said again and again as well, over a noise that does not end."""

MOST_COMPRESSION = 2.4
"""Text that zlib shrinks more than this is a loop (the threshold of Whisper's authors)."""

MOST_WORDS_PER_SECOND = 9.0

CREDITS = re.compile(
    r"""^\W*(
        (subt[ií]tulos|transcripci[oó]n|traducci[oó]n)\b.{0,60}\b(amara|comunidad|por|de)\b.*
      | .*\bamara\W?org\b.*
      | (muchas\s)?gracias\spor\s(ver|mirar|su\satenci[oó]n\sal)\b.{0,30}(v[ií]deo|canal)?.*
      | .*\bsuscr[ií](be|bete|banse|ban)\b.{0,40}\bcanal\b.*
      | ¡?suscr[ií]bete!?
      | .*\b(thanks\sfor\swatching|subtitles\sby)\b.*
      | .*\bwww\.\S+\W*
      | (m[uú]sica|aplausos|risas)
    )\W*$""",
    re.IGNORECASE | re.VERBOSE,
)


def is_credit(text: str) -> bool:
    """True for a whole segment that reads like the end of a video, not like an interview."""
    return bool(CREDITS.match(text.strip()))


def is_too_fast(words: Sequence[Word]) -> bool:
    """More words than a mouth can say: they were invented over a short noise."""
    if len(words) < 8:
        return False
    seconds = max(0.1, words[-1].end - words[0].start)
    return len(words) / seconds > MOST_WORDS_PER_SECOND


def compression(text: str) -> float:
    raw = text.encode()
    return len(raw) / max(1, len(zlib.compress(raw)))


def without_loops(words: Sequence[Word]) -> list[Word]:
    """The words without the further repeats of a phrase that follows itself too often; the first
    occurrence stays."""
    keys = [re.sub(r"\W", "", word.text).casefold() for word in words]
    kept: list[int] = []
    i = 0
    while i < len(words):
        size, repeats = longest_loop(keys, i)
        if repeats:
            kept.extend(range(i, i + size))
            i += size * repeats
        else:
            kept.append(i)
            i += 1
    return [words[i] for i in kept]


def longest_loop(
    keys: Sequence[str],
    start: int,
    most: Mapping[int, int] = MOST_REPEATS,
    most_longer: int = MOST_REPEATS_LONGER,
) -> tuple[int, int]:
    """(words in the phrase, times it follows itself) of a loop that starts here, or (0, 0).

    ``most``: how often a phrase of so many words may follow itself, longer ones ``most_longer``.
    """
    for size in range(1, min(LONGEST_PHRASE, (len(keys) - start) // 2) + 1):
        phrase = keys[start : start + size]
        repeats = 1
        while keys[start + size * repeats : start + size * (repeats + 1)] == phrase:
            repeats += 1
        if repeats > most.get(size, most_longer):
            return size, repeats
    return 0, 0
