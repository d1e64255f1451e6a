"""Under which condition a question is asked: XLSForm's ``relevant``, in its simple form.

    ${vivienda} = 'alquiler'      ${hijos} > 0      selected(${ayudas}, 'luz')      not(...)

joined with ``and`` and ``or``, in parentheses where need be. As in XForms, what nobody has
answered is an empty text, and a number is compared as a number.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from portal.assessments.typed import Value

Values = Mapping[str, Value]
_TOKEN = re.compile(
    r"""\s*(?:
        \$\{\s*(?P<slug>[A-Za-z_][\w-]*)\s*\}
      | '(?P<single>[^']*)' | "(?P<double>[^"]*)"
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<sign><=|>=|!=|=|<|>|\(|\)|,)
      | (?P<word>[a-z]+)
    )""",
    re.VERBOSE | re.ASCII,
)
_ORDER: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_DEEPEST = 20


class ConditionError(ValueError):
    """A condition that is not understood; the message says why, for whoever wrote it."""


@dataclass(frozen=True, slots=True)
class Condition:
    """``slugs``: the questions it looks at."""

    slugs: frozenset[str]
    holds: Callable[[Values], bool]


_Operand = Callable[[Values], str | float]


def parse(text: str) -> Condition:
    """Raises ConditionError. An empty text is a condition that always holds."""
    if not text.strip():
        return Condition(frozenset(), lambda values: True)
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.slugs: set[str] = set()
        self.depth = 0
        place = 0
        while place < len(text.rstrip()):
            found = _TOKEN.match(text, place)
            if found is None or found.lastgroup is None:
                raise ConditionError(
                    _("No se entiende la condición a partir de «%(rest)s».")
                    % {"rest": text[place:].strip()[:40]}
                )
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            place = found.end()
        self.tokens.reverse()

    def read(self) -> Condition:
        holds = self._either()
        if self.tokens:
            raise self._unexpected()
        return Condition(frozenset(self.slugs), holds)

    def _unexpected(self) -> ConditionError:
        if not self.tokens:
            return ConditionError(_("La condición está incompleta."))
        return ConditionError(
            _("No se esperaba «%(what)s» en la condición.") % {"what": self.tokens[-1][1]}
        )

    def _take(self, kind: str, *texts: str) -> str | None:
        if self.tokens and self.tokens[-1][0] == kind and self.tokens[-1][1] in texts:
            return self.tokens.pop()[1]
        return None

    def _need(self, sign: str) -> None:
        if self._take("sign", sign) is None:
            raise self._unexpected()

    def _either(self) -> Callable[[Values], bool]:
        parts = [self._both()]
        while self._take("word", "or"):
            parts.append(self._both())
        return lambda values: any(part(values) for part in parts)

    def _both(self) -> Callable[[Values], bool]:
        parts = [self._one()]
        while self._take("word", "and"):
            parts.append(self._one())
        return lambda values: all(part(values) for part in parts)

    def _one(self) -> Callable[[Values], bool]:
        if self._take("word", "not"):
            self._need("(")
            inner = self._inside()
            return lambda values: not inner(values)
        if self._take("word", "selected"):
            return self._selected()
        if self._take("sign", "("):
            return self._inside()
        return self._comparison()

    def _inside(self) -> Callable[[Values], bool]:
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ConditionError(_("La condición tiene demasiados paréntesis."))
        inner = self._either()
        self._need(")")
        self.depth -= 1
        return inner

    def _selected(self) -> Callable[[Values], bool]:
        self._need("(")
        chosen = self._operand()
        self._need(",")
        name = self._operand()
        self._need(")")
        return lambda values: _text(name(values)) in _text(chosen(values)).split()

    def _comparison(self) -> Callable[[Values], bool]:
        left = self._operand()
        sign = self._take("sign", "=", "!=", *_ORDER)
        if sign is None:
            raise self._unexpected()
        right = self._operand()
        if sign in _ORDER:
            order = _ORDER[sign]
            return lambda values: order(_number(left(values)), _number(right(values)))
        return lambda values: _same(left(values), right(values)) == (sign == "=")

    def _operand(self) -> _Operand:
        if not self.tokens or self.tokens[-1][0] in ("sign", "word"):
            raise self._unexpected()
        kind, text = self.tokens.pop()
        if kind == "slug":
            self.slugs.add(text)
            return lambda values: _plain(values.get(text))
        constant = float(text) if kind == "number" else text
        return lambda values: constant


def _plain(value: Value) -> str | float:
    if value is None:
        return ""
    if isinstance(value, list):
        return " ".join(value)
    return value


def _same(left: str | float, right: str | float) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left == right
    return _number(left) == _number(right)


def _number(value: str | float) -> float:
    """Not a number (which is neither equal, less nor more) for a text that is none."""
    try:
        return float(value)
    except ValueError:
        return float("nan")


def _text(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"
