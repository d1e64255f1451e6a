"""What somebody typed into the search field, taken apart."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.utils import timezone

LONGEST = 200
MOST_PARTS = 12
# Shorter beginnings stand at the start of half the language.
SHORTEST_BEGINNING = 3
# What is written like one and is shorter may be a year or an amount.
SHORTEST_PHONE = 6

_PART = re.compile(r'(-?)(?:"([^"]*)"?|(\S+))')
_WORD = re.compile(r"[^\W_]+")
_PHONE = re.compile(r"\+?[\d\s.\-()]+")


@dataclass(frozen=True, slots=True)
class Filters:
    """Narrows what is found; None leaves it open. ``since`` and ``until`` are both included."""

    since: date | None = None
    until: date | None = None
    participant: UUID | None = None
    # Who recorded or uploaded the conversation, or wrote the answer.
    brought_by: int | None = None
    # Slug of a domain of the questionnaire: people who have answered something of it.
    domain: str | None = None

    @property
    def from_moment(self) -> datetime | None:
        return None if self.since is None else _midnight(self.since)

    @property
    def before_moment(self) -> datetime | None:
        return None if self.until is None else _midnight(self.until + timedelta(days=1))


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


@dataclass(frozen=True, slots=True)
class Question:
    """Everything in it must be found, and none of ``excluded``.

    Each of ``phrases`` and ``excluded`` is one or more words in a row. ``beginning``: the last word
    as far as it is typed; what begins like it is found as well. ``said``: what is wanted as it was
    typed, for who looks for what it means; nothing when it is the number of a phone.
    """

    words: tuple[str, ...] = ()
    beginning: str = ""
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    filters: Filters = Filters()
    said: str = ""

    def __bool__(self) -> bool:
        """Whether it asks for anything: without what is wanted, nothing can be left out of it."""
        return bool(self.words or self.beginning or self.phrases)

    @property
    def wanted(self) -> tuple[str, ...]:
        """The single words, in their order, the beginning among them."""
        return (*self.words, self.beginning) if self.beginning else self.words


def read(text: str, filters: Filters | None = None) -> Question:
    """``text``: words, "phrases in quotes", -excluded or -"excluded phrases"; the number of a phone
    in any spacing. A quote that is not closed yet goes to the end."""
    text = unicodedata.normalize("NFC", text[:LONGEST])
    filters = filters or Filters()
    digits = re.sub(r"\D", "", text)
    if _PHONE.fullmatch(text.strip()) and len(digits) >= SHORTEST_PHONE:
        return Question(beginning=digits, filters=filters)
    words: list[str] = []
    phrases: list[str] = []
    excluded: list[str] = []
    said: list[str] = []
    typing = ""
    for minus, quoted, word in _PART.findall(text)[:MOST_PARTS]:
        parts = _WORD.findall(quoted or word)
        typing = ""
        if not parts:
            continue
        if minus:
            excluded.append(" ".join(parts))
            continue
        said += parts
        if quoted:
            phrases.append(" ".join(parts))
        else:
            words += parts
            typing = parts[-1]
    beginning = ""
    if typing and not text[-1].isspace() and not typing.isdigit():
        words.pop()
        # Two letters more and it narrows what is found; until then the words before it stand.
        if len(typing) >= SHORTEST_BEGINNING or not (words or phrases):
            beginning = typing
    return Question(
        tuple(words), beginning, tuple(phrases), tuple(excluded), filters, " ".join(said)
    )
