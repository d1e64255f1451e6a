"""The English of the portal keeps up with its Spanish source strings."""

from __future__ import annotations

import re
from ast import literal_eval

import polib
from django.conf import settings

CATALOG = settings.LOCALE_PATHS[0] / "en" / "LC_MESSAGES" / "django.po"
# The placeholders that code fills in: %(name)s, %d, {sent}.
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}|</?\w+>")
IN_TEMPLATES = re.compile(r"{%\s*translate\s+(\"[^\"]+\"|'[^']+')")


ENTRIES = polib.pofile(str(CATALOG))


def test_every_sentence_is_translated_and_fills_in_the_same() -> None:
    for entry in ENTRIES:
        for text in entry.msgstr_plural.values() or [entry.msgstr]:
            assert text.strip(), entry.msgid
            filled_in = sorted(PLACEHOLDER.findall(text))
            assert filled_in == sorted(PLACEHOLDER.findall(entry.msgid)), entry.msgid


def test_what_templates_say_is_in_the_catalog() -> None:
    known = {entry.msgid for entry in ENTRIES}
    said = {
        literal_eval(text)
        for template in (settings.PROJECT / "portal").glob("*/templates/**/*.html")
        for text in IN_TEMPLATES.findall(template.read_text())
    }
    assert said - known == set()
