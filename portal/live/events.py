"""What happens to a live recording, told to whoever has it on screen.

Messages are those that `protocol.py` lists as "down".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from portal import news


def publish(recording: UUID, message: Mapping[str, Any]) -> None:
    """Part of the caller's transaction."""
    news.publish(topic(recording), message)


def topic(recording: UUID) -> str:
    return f"recording:{recording}"
