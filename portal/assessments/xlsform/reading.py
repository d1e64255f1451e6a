"""A questionnaire out of an XLSForm workbook (.xlsx), which may be anything at all.

Groups are domains. Columns of ours, none of them needed: ``ask_with`` (the sentence to ask it
with), ``cues`` and ``examples`` (one a line), and of a group ``colour`` and ``icon``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.text import slugify
from django.utils.translation import gettext as _
from pyxform.errors import PyXFormError
from pyxform.xls2json import workbook_to_json
from pyxform.xls2json_backends import DefinitionData, get_xlsform

from portal.assessments import blueprint
from portal.assessments.blueprint import (
    COLOURS,
    ICON,
    Blueprint,
    Kind,
    PlannedDomain,
    PlannedQuestion,
    clean,
)
from portal.assessments.xlsform.bounds import NotAForm, broken, refuse_bombs
from portal.assessments.xlsform.languages import code_of

KINDS = {
    "text": Kind.TEXT,
    "integer": Kind.INTEGER,
    "int": Kind.INTEGER,
    "decimal": Kind.DECIMAL,
    "date": Kind.DATE,
    "select one": Kind.SELECT_ONE,
    "select all that apply": Kind.SELECT_MULTIPLE,
    "note": Kind.NOTE,
}
# What a telephone notes by itself.
METADATA = {
    "start", "end", "today", "deviceid", "subscriberid", "simserial", "phonenumber", "username",
    "email", "audit", "start-geopoint", "background-audio",
}  # fmt: skip
IGNORED_COLUMNS = {
    "constraint", "choice_filter", "default", "calculation", "trigger", "appearance", "parameters",
}  # fmt: skip
_YES = {"yes", "true", "true()", "1", "sí", "si"}
_NO = {"no", "false", "false()", "0", ""}
_LISTED = re.compile(r"select[_ ](?:one|multiple)\s+(\S+)(?:\s+or_other)?", re.IGNORECASE)
_ROW = re.compile(r"\[row : (\d+)\]\s*")
GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Imported:
    """``notices``: what the file has and a questionnaire here has not."""

    plan: Blueprint
    notices: tuple[str, ...]


def read(content: bytes) -> Imported:
    """Raises NotAForm."""
    refuse_bombs(content)
    try:
        data = get_xlsform(content, file_type=".xlsx")
    except PyXFormError as error:
        raise NotAForm([broken(), _said(error)]) from None
    except Exception:  # what a hostile file makes of openpyxl has no end of names
        raise NotAForm([broken()]) from None
    reader = _Reader(data)
    if problems := list(reader.missing()):
        raise NotAForm(problems)
    try:
        tree = workbook_to_json(data, form_name=GENERAL, warnings=[])
    except PyXFormError as error:
        raise NotAForm([_said(error)]) from None
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        raise NotAForm([broken()]) from None
    return reader.read(tree)


def _said(error: PyXFormError) -> str:
    """What pyxform says of it, which is in English."""
    text = str(error)
    found = _ROW.search(text)
    if found is None:
        return _("El cuestionario no cumple XLSForm: %(text)s") % {"text": text[:300]}
    return _("Fila %(row)s: no cumple XLSForm: %(text)s") % {
        "row": found[1],
        "text": _ROW.sub("", text, count=1)[:300],
    }


@dataclass
class _Reader:
    data: DefinitionData
    notices: list[str] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.rows = [_lowered(row) for row in self.data.survey or ()]
        # Row of the sheet by the name of its question or group; the heading is row 1.
        self.row_of = {
            clean(_cell(row, "name", "value")): number
            for number, row in reversed(list(enumerate(self.rows, 2)))
        }
        self.main = "default"
        self.language = "es"

    def missing(self) -> Iterator[str]:
        """What pyxform would say too, but in English or of one row only."""
        if not self.rows:
            yield _("Falta la hoja «survey», o está vacía.")
            return
        seen: set[str] = set()
        lists = {_cell(_lowered(row), "list_name", "list name") for row in self.data.choices or ()}
        for number, row in enumerate(self.rows, 2):
            kind = _cell(row, "type").casefold().replace("_", " ")
            name = "" if kind.startswith("end") else _cell(row, "name", "value")
            if not kind and any(row.values()):
                yield self._at(number, _("falta el tipo, en la columna «type»."))
            elif kind and not kind.startswith("end") and not name:
                yield self._at(number, _("falta el nombre, en la columna «name»."))
            elif (listed := _LISTED.fullmatch(_cell(row, "type"))) and listed[1] not in lists:
                text = _("la lista «%(name)s» no está en la hoja «choices».")
                yield self._at(number, text % {"name": listed[1]})
            if name in seen:
                text = _("el nombre «%(name)s» está repetido.")
                yield self._at(number, text % {"name": name})
            seen.update([name] if name else [])

    @staticmethod
    def _at(row: int | None, text: str) -> str:
        return _("Fila %(row)d: %(text)s") % {"row": row, "text": text} if row else text

    def read(self, tree: Mapping[str, Any]) -> Imported:
        self._settle_language(tree)
        domains: dict[str, PlannedDomain] = {}
        for node in tree["children"]:
            if node["type"] == "group":
                if node["name"] == "meta" and "meta" not in self.row_of:
                    continue
                group = self._domain(node, len(domains))
                questions = tuple(self._questions(node["children"], _bound(node, "relevant")))
            else:
                group = PlannedDomain(GENERAL, _("General"), self._colour(len(domains)), ICON, ())
                questions = tuple(self._questions([node], ""))
                if not questions:
                    continue
            known = domains.setdefault(group.slug, group)
            domains[group.slug] = replace(known, questions=(*known.questions, *questions))
        title = clean(str(tree.get("title") or ""))
        named = any(_lowered(row).get("form_title") for row in self.data.settings or ())
        form_id = str(tree.get("id_string") or "")
        plan = Blueprint(
            slug=slugify(form_id if form_id != GENERAL else title)[:60] or "cuestionario",
            name=(title if named else _("Cuestionario importado"))[:120],
            language=self.language,
            domains=tuple(domains.values()),
        )
        found = [(self.row_of.get(p.slug, 0), p.text) for p in blueprint.check(plan)]
        if self.problems or found:
            told = sorted([*self.problems, *found])
            raise NotAForm([self._at(row, text) for row, text in dict.fromkeys(told)])
        self._notice_columns()
        return Imported(plan, tuple(dict.fromkeys(self.notices)))

    def _settle_language(self, tree: Mapping[str, Any]) -> None:
        """The language of the texts: the form's default, or else Spanish, or else the first."""
        headers = [str(name) for header in self.data.survey_header or () for name in header]
        told = [h.split("::", 1)[1].strip() for h in headers if h.lower().startswith("label::")]
        wanted = str(tree.get("default_language") or "default")
        if wanted != "default":
            self.main = wanted
        elif told and "label" not in (h.strip().lower() for h in headers):
            self.main = next((name for name in told if code_of(name) == "es"), told[0])
        if self.main == "default":
            return
        code = self._code(self.main)
        if code is not None and len(code) > 5:
            self.problems.append((0, _unknown_language(self.main)))
        self.language = code or self.language

    def _code(self, name: str) -> str | None:
        code = code_of(name)
        if code is None:
            self.problems.append((0, _unknown_language(name)))
        return code

    def _domain(self, node: Mapping[str, Any], place: int) -> PlannedDomain:
        row = self._row(node["name"])
        name, others = self._texts(node.get("label"))
        return PlannedDomain(
            slug=node["name"],
            name=name or node["name"],
            colour=clean(_cell(row, "colour", "color")) or self._colour(place),
            icon=clean(_cell(row, "icon")) or ICON,
            questions=(),
            translations=others,
        )

    def _questions(
        self, nodes: Sequence[Mapping[str, Any]], condition: str
    ) -> Iterator[PlannedQuestion]:
        """``condition``: of the groups around them."""
        for node in nodes:
            kind, name = str(node["type"]), str(node["name"])
            if kind == "group":
                text = _("los grupos dentro de otro grupo se unen al de fuera.")
                self.notices.append(self._at(self.row_of.get(name), text))
                inner = _both(condition, _bound(node, "relevant"))
                yield from self._questions(node.get("children", ()), inner)
            elif kind in KINDS:
                yield self._question(node, KINDS[kind], condition)
            elif kind not in METADATA:
                text = _("el tipo «%(kind)s» no se puede usar aquí.") % {"kind": kind}
                self.problems.append((self.row_of.get(name, 0), text))

    def _question(self, node: Mapping[str, Any], kind: Kind, condition: str) -> PlannedQuestion:
        row = self._row(node["name"])
        text, texts = self._texts(node.get("label"))
        hint, hints = self._texts(node.get("hint"))
        choices: list[tuple[str, str]] = []
        labels: dict[str, dict[str, str]] = {}
        for choice in node.get("choices", ()):
            label, others = self._texts(choice.get("label"))
            choices.append((clean(str(choice["name"])), label))
            for code, told in others.items():
                labels.setdefault(code, {})[choices[-1][0]] = told
        translations: dict[str, dict[str, Any]] = {}
        parts: Sequence[tuple[str, Mapping[str, Any]]] = (
            ("text", texts),
            ("hint", hints),
            ("choices", labels),
        )
        for part, by_code in parts:
            for code, told in by_code.items():
                translations.setdefault(code, {})[part] = told
        return PlannedQuestion(
            slug=node["name"],
            text=text,
            kind=kind,
            prompt=clean(_cell(row, "ask_with")),
            hint=hint,
            required=self._required(node),
            choices=tuple(choices),
            relevant=_both(condition, _bound(node, "relevant")),
            cues=blueprint.lines(_cell(row, "cues")),
            examples=blueprint.lines(_cell(row, "examples")),
            translations=translations,
        )

    def _required(self, node: Mapping[str, Any]) -> bool:
        said = _bound(node, "required").casefold()
        if said not in _YES | _NO:
            text = _("«required» solo puede ser «yes» o «no».")
            self.problems.append((self.row_of.get(node["name"], 0), text))
        return said in _YES

    def _texts(self, told: object) -> tuple[str, dict[str, str]]:
        """In the form's language, and in the others by code."""
        if not isinstance(told, Mapping):
            return clean(str(told or "")), {}
        texts = {str(name): clean(str(text)) for name, text in told.items()}
        main = texts.pop(self.main, "")
        others = {
            code: text
            for name, text in texts.items()
            if text and (code := self._code(name)) is not None and code != self.language
        }
        return main, others

    def _notice_columns(self) -> None:
        for column in sorted(IGNORED_COLUMNS):
            if any(row.get(column) for row in self.rows):
                text = _("La columna «%(name)s» no se usa aquí y no se ha tomado.")
                self.notices.append(text % {"name": column})

    def _row(self, name: str) -> Mapping[str, str]:
        number = self.row_of.get(name)
        return self.rows[number - 2] if number else {}

    @staticmethod
    def _colour(place: int) -> str:
        return COLOURS[place % len(COLOURS)]


def _unknown_language(name: str) -> str:
    return _(
        "No se reconoce el idioma «%(name)s». Ponga su código entre paréntesis, por ejemplo "
        "«Español (es)»."
    ) % {"name": name[:60]}


def _lowered(row: Mapping[str, Any]) -> dict[str, str]:
    return {str(name).strip().lower(): str(cell) for name, cell in row.items() if cell is not None}


def _cell(row: Mapping[str, str], *names: str) -> str:
    return next((row[name].strip() for name in names if row.get(name)), "")


def _bound(node: Mapping[str, Any], what: str) -> str:
    return clean(str(node.get("bind", {}).get(what) or ""))


def _both(outer: str, inner: str) -> str:
    """One condition out of two."""
    return f"({outer}) and ({inner})" if outer and inner else outer or inner
