"""What every search engine does. It knows words and keys; what is shown is read from the database
(portal/search/queries.py), so that no engine can show what is not there any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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

    def find(
        self, question: Question, *, limits: Mapping[str, int], scope: Scope
    ) -> Mapping[str, Sequence[str]]:
        """For each kind of ``limits`` the keys of up to so many objects, the best first.

        Raises SearchDown.
        """
        ...

    def prepare(self) -> str:
        """The name of what a rebuilding goes into: a new index beside the one in use, or "" for the
        one in use, which is then mended in place. Raises SearchDown."""
        ...

    def has(self, into: str) -> bool:
        """Whether what `prepare` gave is still there. Raises SearchDown."""
        ...

    def file(self, kind: str, keys: Sequence[str], *, into: str) -> None:
        """File those objects as they are now, and forget those that are gone. In the transaction
        of the caller, who keeps them from being changed meanwhile. Raises SearchDown."""
        ...

    def filed(self, kind: str, *, after: str, into: str) -> Sequence[str]:
        """Keys that are known of a kind, some at a time, in the order of text; none at the end."""
        ...

    def finish(self, into: str) -> None:
        """Everything is in it: from now on it is the one that is asked. Raises SearchDown."""
        ...
