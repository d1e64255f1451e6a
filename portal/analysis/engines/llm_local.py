"""A language model on this machine, served by ``portal language-model``: nothing leaves."""

from __future__ import annotations

import os
from pathlib import Path

from portal.analysis.engines.llm import LlmEngine
from portal.analysis.llm import local_models
from portal.analysis.llm.endpoint import Endpoint
from portal.engine import Problem

NAME = "llm-local"
PORT = 8377
SLOW = 600.0
"""Seconds that a machine without a graphics card may take to read an hour of talk."""


class LocalLlmEngine(LlmEngine):
    """``models_dir``: None takes that of ``PORTAL_DATA``."""

    def __init__(self, models_dir: Path | None = None, port: int = PORT) -> None:
        self._models_dir = models_dir or Path(os.environ.get("PORTAL_DATA", "var")) / "models"
        file = local_models.installed(self._models_dir)
        endpoint = Endpoint(
            model=file.stem if file else "",
            base_url=f"http://127.0.0.1:{port}/v1",
            context_tokens=local_models.CONTEXT_TOKENS,
            timeout=SLOW,
        )
        super().__init__(endpoint, name=NAME)

    def check(self) -> list[Problem]:
        problem = local_models.problem(self._models_dir)
        return [problem] if problem else []
