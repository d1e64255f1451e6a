"""What happens to a live recording, told to whoever has it on screen: PostgreSQL's NOTIFY.

Sent in the caller's transaction, so that nobody hears of what was rolled back. Messages are those
that `protocol.py` lists as "down".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import connection

CHANNEL = "portal_live"
MOST_BYTES = 7900
"""PostgreSQL takes less than 8000."""


def publish(recording: UUID, message: Mapping[str, Any]) -> None:
    """Tell `message`; what is too long is replaced by ``{"type": "refresh"}``: look again."""
    payload = json.dumps({"recording": str(recording), "message": message}, ensure_ascii=False)
    if len(payload.encode()) > MOST_BYTES:
        payload = json.dumps({"recording": str(recording), "message": {"type": "refresh"}})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, payload])
