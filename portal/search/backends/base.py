"""What every search engine does. It knows words and keys; what is shown is read from the database
(portal/search/queries.py), so that no engine can show what is not there any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from portal.search.questions import Question


class SearchDown(Exception):
    """The engine does not answer; the rest of the portal does not need it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where is looked. ``teams``: whose people; ``participants``: of those only, unless None."""

    teams: Sequence[int]
    participants: Sequence[str] | None = None


class Backend(Protocol):
    name: str

    def find(self, question: Question, *, kind: str, scope: Scope, limit: int) -> list[str]:
        """Keys of up to ``limit`` objects of that kind, the best first. Raises SearchDown."""
        ...

    def rebuild(self, kind: str, keys: Sequence[str]) -> None:
        """File those objects anew, as they are now; one that is gone is forgotten."""
        ...
