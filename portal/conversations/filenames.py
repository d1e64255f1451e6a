"""Names of what people take away: readable, and safe on every system that they may be put on."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection

from django.utils import timezone

from portal.conversations.models import Conversation

NAME, TITLE = 48, 60
"""Bytes of a person's name and of a title. A folder of the archive with its file then stays well
within the 260 characters of a path that Windows takes."""

# What Windows forbids; other systems forbid less.
FORBIDDEN = frozenset('<>:"/\\|?*')


def safe(text: str, most: int) -> str:
    """``text`` as a part of a file's name, at most ``most`` bytes long; "" when nothing is left.

    Composed (NFC), on one line, without what separates folders, steers a terminal, turns the
    direction of reading or hides a file.
    """
    kept = []
    for char in unicodedata.normalize("NFC", text):
        match unicodedata.category(char)[0]:
            case _ if char in FORBIDDEN or char.isspace() or unicodedata.category(char) == "Cc":
                kept.append(" ")
            case "C":
                pass
            case _:
                kept.append(char)
    name = " ".join("".join(kept).split())
    return name.encode()[:most].decode(errors="ignore").strip(" .-")


def of_folder(conversation: Conversation) -> str:
    """ "2026-11-24 Padrón y salud"."""
    return _dated(conversation, safe(conversation.title, TITLE))


def of_conversation(conversation: Conversation, suffix: str) -> str:
    """ "2026-11-24 Ana Pérez - Padrón y salud.docx". ``suffix``: with its dot."""
    parts = safe(conversation.participant.name, NAME), safe(conversation.title, TITLE)
    return _dated(conversation, " - ".join(filter(None, parts))) + suffix


def unique(name: str, taken: Collection[str]) -> str:
    """``name``, or with a number when it is among ``taken``, which are case-folded: two names
    that differ by case alone are one on many systems."""
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{name} ({number})"
    return found


def _dated(conversation: Conversation, rest: str) -> str:
    return f"{timezone.localtime(conversation.created_at):%Y-%m-%d} {rest}".strip()
