"""From words with a speaker each to turns that read like a chat. Pure text and times."""

from __future__ import annotations

from collections.abc import Sequence

from portal.speech.engines.base import Turn, Word

LONG_PAUSE = 2.5
"""Seconds of silence after which the same speaker starts a new turn."""

LONG_TURN = 40.0
"""Seconds after which a turn ends at the next end of a sentence."""

SENTENCE_END = (".", "?", "!", "…")


def ends_sentence(word: Word) -> bool:
    return word.text.rstrip("\"'»)").endswith(SENTENCE_END)


def build_turns(words: Sequence[Word], speakers: Sequence[str]) -> tuple[Turn, ...]:
    """Turns of consecutive words by one speaker, in the order given; no word is lost.

    ``speakers`` holds the label of each word. A turn ends where the speaker changes, at a long
    pause, and at the end of a sentence once it is long.
    """
    groups: list[list[Word]] = []
    labels: list[str] = []
    for word, label in zip(words, speakers, strict=True):
        if not groups or label != labels[-1] or _parts(groups[-1], word):
            groups.append([])
            labels.append(label)
        groups[-1].append(word)
    return tuple(_turn(label, group) for label, group in zip(labels, groups, strict=True))


def _parts(turn: Sequence[Word], word: Word) -> bool:
    last = turn[-1]
    if word.start - last.end >= LONG_PAUSE:
        return True
    return ends_sentence(last) and last.end - turn[0].start >= LONG_TURN


def _turn(speaker: str, words: Sequence[Word]) -> Turn:
    return Turn(
        speaker=speaker,
        start=words[0].start,
        end=max(word.end for word in words),
        text=" ".join(word.text for word in words).strip(),
        words=tuple(words),
    )
