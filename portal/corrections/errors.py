from __future__ import annotations

from portal.conversations.errors import Refused


class Changed(Refused):
    """Somebody has changed what one was looking at; nothing was overwritten.

    ``by`` is who did, ``turn`` the id of the turn that holds those words now, or None.
    """

    def __init__(self, public_message: str, *, by: str = "", turn: int | None = None) -> None:
        super().__init__("changed", public_message, status=409)
        self.by = by
        self.turn = turn
