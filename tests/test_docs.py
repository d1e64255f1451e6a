"""What the pages for people who install it promise to name."""

from __future__ import annotations

from pathlib import Path

from portal.environment import Environment

DOCS = Path(__file__).parents[1] / "docs"


def test_every_setting_of_an_engine_is_on_its_page() -> None:
    page = (DOCS / "engines.md").read_text()
    of_engines = ("aws_transcribe_", "deepgram_", "openai_", "llm_", "prices", "currency")
    settings = [name for name in Environment.model_fields if name.startswith(of_engines)]
    assert len(settings) > 15
    assert [name for name in settings if f"PORTAL_{name.upper()}" not in page] == []
