"""Where a language model answers, and how much it takes at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``base_url``: of any server that speaks OpenAI's chat completions. ``context_tokens``: what
    question and answer may have together; ``timeout``: seconds of a request; ``retries``: after a
    first attempt, each later than the one before and a little at random."""

    model: str = ""
    base_url: str = OPENAI
    api_key: str = ""
    context_tokens: int = 32_000
    timeout: float = 60.0
    retries: int = 2

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Endpoint:
        """As the portal's settings name it, for use from a shell."""
        return cls(
            model=environment.get("PORTAL_LLM_MODEL", ""),
            base_url=environment.get("PORTAL_LLM_BASE_URL") or OPENAI,
            api_key=environment.get("PORTAL_LLM_API_KEY", ""),
            context_tokens=int(environment.get("PORTAL_LLM_CONTEXT_TOKENS") or 32_000),
        )
