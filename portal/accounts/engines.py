"""The transcription engines of this installation, as people choose among them."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Team
from portal.speech.engines import available_engines

NAMES: dict[str, str | Promise] = {"local": _("En este equipo, sin enviar nada fuera")}

ON_THIS_MACHINE = frozenset({"local", "extractive"})
"""Engines of speech and of analysis that send nothing out; people are told just that of them."""


def may_go_outside(team: Team) -> bool:
    """Whether something outside can be used for this team at all: people are asked only then."""
    return team.external_services and any(name not in ON_THIS_MACHINE for name, _ in choices())


def options() -> dict[str, dict[str, Any]]:
    """What each engine is made with, from this installation's settings."""
    return {
        "local": {
            "models_dir": settings.ENV.data / "models",
            "model": settings.ENV.whisper_model,
            "cpu_threads": settings.ENV.cpu_threads,
        }
    }


def choices() -> list[tuple[str, str | Promise]]:
    """(stable name, name for people) of those that can be used now."""
    return [(name, NAMES.get(name, name)) for name in available_engines(options())]
