"""What somebody other than the interviewer says in a turn, taken apart once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from portal.analysis.cues import Cue, CueIndex, Match, discourse_index, parse_cue, phrases
from portal.analysis.language import word_set
from portal.analysis.text import (
    Sentence,
    Words,
    is_joint,
    is_spanish,
    sentences,
    stretches,
    words,
)

Polarity = Literal["Sí", "No", ""]

TALK = discourse_index(
    "decline", "clarify", "interrupt", "unknown", "correct", "elsewhere", "hypothetical"
)
_LATEST_POLARITY = 6
_HESITATION = word_set("hesitation")


def _longest_first(name: str) -> tuple[Cue, ...]:
    """ "Claro que no" is not "claro"."""
    return tuple(sorted(map(parse_cue, phrases(name)), key=lambda cue: -len(cue.elements)))


_YES, _NO = _longest_first("yes"), _longest_first("no")
_FILLER, _BACKCHANNEL = _longest_first("filler"), _longest_first("backchannel")


def _opens_with(cues: Sequence[Cue], folded: Sequence[str], at: int, end: int) -> int | None:
    """Where the first of ``cues`` that fits at ``at`` ends."""
    for cue in cues:
        stop = cue.match(folded, at, end)
        if stop is not None:
            return stop
    return None


def _late_polarity(parsed: Words) -> Polarity:
    """The yes of "en el piso sí" and the no of "alcohol no"."""
    for place in range(min(_LATEST_POLARITY, len(parsed))):
        last = place + 1 == len(parsed) or is_joint(parsed, place + 1)
        if parsed.slice(place, place + 1).lower() == "sí":
            return "Sí"
        if parsed.folded[place] == "no" and last:
            return "No"
    return ""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A turn that is not the interviewer's, taken apart once."""

    words: Words
    sentences: tuple[Sentence, ...]
    talk: frozenset[str]
    declines: tuple[Match, ...]
    matches: tuple[Match, ...]
    polarity: Polarity
    opening: int  # where the words after hesitation begin
    spanish: bool
    only_asks: bool
    stretches: tuple[Sentence, ...] = ()

    def about(self, question: int, *kinds: str) -> list[Match]:
        key = str(question)
        return [m for m in self.matches if m.key == key and m.kind in kinds]


def parse(text: str, index: CueIndex) -> Spoken:
    """Takes a turn apart; ``index`` has the cues of the questionnaire."""
    parsed = words(text)
    folded, end = parsed.folded, len(parsed)
    matches = index.find(folded)
    talk = TALK.find(folded)
    at = 0
    polarity: Polarity = ""
    while at < end:
        no = _opens_with(_NO, folded, at, end)
        yes = _opens_with(_YES, folded, at, end)
        if no is not None and folded[at : at + 2] not in (("no", "se"), ("no", "lo")):
            polarity = "No" if no >= (yes or 0) else "Sí"
            break
        if yes is not None and folded[at : at + 2] != ("claro", "que"):
            polarity = "Sí"
            break
        filler = _opens_with(_FILLER, folded, at, end)
        if filler is None:
            break
        at = filler
    polarity = polarity or _late_polarity(parsed)
    split = tuple(sentences(parsed))
    begin = 0
    while begin < end - 1 and folded[begin] in _HESITATION:
        begin += 1
    return Spoken(
        words=parsed,
        sentences=split,
        talk=frozenset(m.key for m in talk),
        declines=tuple(m for m in talk if m.key == "decline"),
        matches=tuple(matches),
        polarity=polarity,
        opening=begin,
        spanish=is_spanish(folded),
        only_asks=bool(split) and all(s.interrogative for s in split),
        stretches=tuple(stretches(parsed, split)),
    )


def says_nothing(spoken: Spoken) -> bool:
    """Thanks, a question back, an interruption, or "no sé" and little else."""
    folded, end = spoken.words.folded, len(spoken.words)
    rest = end - spoken.opening
    at = 0
    while at < end:
        stop = _opens_with(_BACKCHANNEL, folded, at, end) or _opens_with(_FILLER, folded, at, end)
        if stop is None:
            break
        at = stop
    if at >= end and not spoken.polarity:
        # "bien", "regular" alone can still answer "¿qué tal?"; thanks cannot.
        return not any(word in ("bien", "mal", "regular") for word in folded)
    if "clarify" in spoken.talk and rest <= 14:
        return True
    if "interrupt" in spoken.talk and rest <= 10:
        return True
    return "unknown" in spoken.talk and rest <= 7
