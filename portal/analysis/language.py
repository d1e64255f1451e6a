"""Lists of Spanish words the analysis needs, kept as data: ``data/words_es.json``, all folded."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources


def read_data(name: str) -> object:
    """The content of a JSON file of this package's ``data`` folder."""
    return json.loads((resources.files("portal.analysis") / "data" / name).read_text("utf-8"))


@cache
def _lists() -> dict[str, tuple[str, ...]]:
    data = read_data("words_es.json")
    if not isinstance(data, dict):
        raise TypeError("words_es.json must be an object of lists")
    return {name: tuple(members.split()) for name, members in data.items()}


def word_list(name: str) -> tuple[str, ...]:
    return _lists()[name]


def word_set(name: str) -> frozenset[str]:
    return frozenset(word_list(name))
