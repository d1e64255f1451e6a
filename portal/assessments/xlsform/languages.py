"""Languages as XLSForm names them, "Español (es)", and as codes."""

from __future__ import annotations

import re

from django.conf.locale import LANG_INFO

_CODE = re.compile(r"\(([A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*)\)\s*$")
_NAMES = {
    str(info[key]).casefold(): code
    for code, info in LANG_INFO.items()
    if "name" in info
    for key in ("name", "name_local")
}


def code_of(name: str) -> str | None:
    """The code in parentheses, or that of a language by its own or its English name."""
    found = _CODE.search(name)
    if found:
        return found[1].lower()
    plain = name.strip().casefold()
    return plain if plain in LANG_INFO else _NAMES.get(plain)


def name_of(code: str) -> str:
    return f"{LANG_INFO.get(code, {}).get('name_local', code).capitalize()} ({code})"
