"""The engines that turn speech into text.

One file each; a new one is its file and a line in ``ENGINES``, and for people what CONTRIBUTING.md
names. Their modules are imported when an engine is asked for, so naming them costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

from portal.engine import EngineError
from portal.speech.engines.base import TranscriptionEngine

ENGINES = {
    "local": "portal.speech.engines.local.LocalEngine",
    "aws": "portal.speech.engines.aws.AWSEngine",
    "deepgram": "portal.speech.engines.deepgram.DeepgramEngine",
    "openai": "portal.speech.engines.openai.OpenAIEngine",
}
"""Stable name to class. The order is that of a choice shown to a person."""


def get_engine(name: str, **options: Any) -> TranscriptionEngine:
    """The engine called ``name``, made with its own ``options``.

    Raises EngineError when there is none, TypeError for an option it does not have.
    """
    if name not in ENGINES:
        raise EngineError(f"No hay ningún motor de transcripción «{name}».")
    module, _, cls = ENGINES[name].rpartition(".")
    return cast(TranscriptionEngine, getattr(import_module(module), cls)(**options))


def available_engines(options: Mapping[str, Mapping[str, Any]] | None = None) -> list[str]:
    """Names of the engines that can be used now. ``options``: by engine, those of its class."""
    given = options or {}
    return [name for name in ENGINES if not get_engine(name, **given.get(name, {})).check()]
