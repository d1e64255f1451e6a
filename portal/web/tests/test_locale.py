"""The English of the portal keeps up with its Spanish source strings."""

from __future__ import annotations

import re
from ast import literal_eval

import pytest
from django.conf import settings

CATALOG = settings.LOCALE_PATHS[0] / "en" / "LC_MESSAGES" / "django.po"
# The placeholders that code fills in: %(name)s, %d, {sent}.
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}|</?\w+>")
IN_TEMPLATES = re.compile(r"{%\s*translate\s+(\"[^\"]+\"|'[^']+')")


def entries() -> list[tuple[str, list[str]]]:
    found = []
    for block in CATALOG.read_text().split("\n\n")[1:]:
        texts = re.findall(r"^msg(id|str)\S* (\".*\")$", block, re.M)
        source = [literal_eval(text) for kind, text in texts if kind == "id"]
        found.append((source[0], [literal_eval(text) for kind, text in texts if kind == "str"]))
    return found


@pytest.mark.parametrize("source, english", entries())
def test_a_translation_is_there_and_fills_in_the_same(source: str, english: list[str]) -> None:
    for text in english:
        assert text.strip()
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(source))


def test_what_templates_say_is_in_the_catalog() -> None:
    known = {source for source, _ in entries()}
    said = {
        literal_eval(text)
        for template in (settings.PROJECT / "portal").glob("*/templates/**/*.html")
        for text in IN_TEMPLATES.findall(template.read_text())
    }
    assert said - known == set()
