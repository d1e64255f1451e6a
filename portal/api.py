"""The REST API: each app's router under one versioned address."""

from __future__ import annotations
