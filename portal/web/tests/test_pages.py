"""Pages that follow one another in one document keep to what web/base.html says."""

from __future__ import annotations

import re

import pytest
from django.conf import settings
from django.test import RequestFactory

from portal.web.fragments import go_to, is_fragment

TEMPLATES = list((settings.PROJECT / "portal").glob("*/templates/**/*.html"))
EXTENDS_BASE = re.compile(r'{% extends [^%]*"[^"]*web/(base|dialog_page)\.html"')


def test_stylesheets_and_modules_of_boosted_pages_are_named_in_the_base() -> None:
    boosted = [
        template
        for template in TEMPLATES
        if EXTENDS_BASE.search(text := template.read_text())
        and "{% block boost %}{% endblock %}" not in text
    ]
    assert len(boosted) > 8
    for template in boosted:
        assert not re.search("{% block (layout_)?(head|scripts) %}", template.read_text()), template


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ({}, False),
        ({"HX-Request": "true"}, True),
        ({"HX-Request": "true", "HX-Boosted": "true"}, False),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, False),
    ],
)
def test_what_htmx_asks_for(headers: dict[str, str], part: bool) -> None:
    assert is_fragment(RequestFactory().get("/", headers=headers)) is part


def test_a_redirect_keeps_its_place_in_the_page() -> None:
    factory = RequestFactory()
    assert go_to(factory.post("/"), "/personas/#c-1")["Location"] == "/personas/#c-1"
    told = go_to(factory.post("/", headers={"HX-Request": "true"}), "/personas/#c-1")
    assert "Location" not in told
    assert '"path": "/personas/#c-1"' in told["HX-Location"]
    assert '"HX-Boosted": "true"' in told["HX-Location"]
