"""Where the database is: the private embedded server, started on first use, or a given URL."""

from __future__ import annotations

from pathlib import Path


def embedded_url(data: Path) -> str:
    return "postgresql://postgres@127.0.0.1:5499/portal"
