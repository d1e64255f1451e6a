"""A questionnaire as plain values: what is imported, exported, copied, and checked before it is
published."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from django.utils.translation import gettext as _

from portal.analysis.cues import CueError, parse_cue
from portal.assessments import queries, relevance
from portal.assessments.models import Domain, Question, Questionnaire
from portal.assessments.typed import SEPARATOR

Kind = Question.Kind
CHOOSING = (Kind.SELECT_ONE, Kind.SELECT_MULTIPLE)
# Keys of tokens.css, in the order in which domains without one get theirs.
COLOURS = ("violet", "amber", "blue", "rose", "green", "teal", "orange")
ICON = "chat-square-text"

MAX_QUESTIONS = 300
MAX_CHOICES = 200
MAX_SENTENCES = 80
MAX_LENGTH = 300
# A cue may name many words that say the same.
MAX_SENTENCE = 2000
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,59}")
_SPACES = re.compile(r"[ \t\xa0]+")
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class PlannedQuestion:
    """``choices``: (name, label) in order. ``translations`` as in `Question`."""

    slug: str
    text: str
    kind: str = Kind.TEXT
    prompt: str = ""
    hint: str = ""
    required: bool = False
    choices: tuple[tuple[str, str], ...] = ()
    relevant: str = ""
    cues: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    translations: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlannedDomain:
    slug: str
    name: str
    colour: str
    icon: str
    questions: tuple[PlannedQuestion, ...]
    translations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """``language``: of its texts, as a code; ``slug``: XLSForm's ``form_id``."""

    slug: str
    name: str
    language: str
    domains: tuple[PlannedDomain, ...]

    @property
    def questions(self) -> Iterator[PlannedQuestion]:
        for domain in self.domains:
            yield from domain.questions


@dataclass(frozen=True, slots=True)
class Problem:
    """Why it can't be used so. ``slug``: of the question or domain; "" for all of it."""

    slug: str
    text: str

    def __str__(self) -> str:
        return f"{self.slug}: {self.text}" if self.slug else self.text


def clean(text: str) -> str:
    """Without characters that neither a database nor a spreadsheet takes, and with single
    spaces, as XLSForm has them."""
    return _SPACES.sub(" ", _UNPRINTABLE.sub("", text.replace("\r\n", "\n"))).strip()


def lines(text: str) -> tuple[str, ...]:
    """One sentence a line, none twice."""
    return tuple(dict.fromkeys(line for part in text.splitlines() if (line := clean(part))))


def of(questionnaire: Questionnaire) -> Blueprint:
    questions = {
        pk: tuple(map(of_question, group))
        for pk, group in groupby(queries.all_of(questionnaire), key=lambda q: q.domain_id)
    }
    return Blueprint(
        slug=questionnaire.slug,
        name=questionnaire.name,
        language=questionnaire.language,
        domains=tuple(
            PlannedDomain(
                slug=domain.slug,
                name=domain.name,
                colour=domain.colour,
                icon=domain.icon,
                questions=questions.get(domain.pk, ()),
                translations=domain.translations,
            )
            for domain in questionnaire.domains.all()
        ),
    )


def of_question(question: Question) -> PlannedQuestion:
    return PlannedQuestion(
        slug=question.slug,
        text=question.text,
        kind=question.kind,
        prompt=question.prompt,
        hint=question.hint,
        required=question.required,
        choices=tuple((choice["name"], choice["label"]) for choice in question.choices),
        relevant=question.relevant,
        cues=tuple(question.cues),
        examples=tuple(question.examples),
        translations=question.translations,
    )


def fields_of(planned: PlannedQuestion) -> dict[str, Any]:
    """As the fields of a `Question`, but for its place."""
    return {
        "slug": planned.slug,
        "text": planned.text,
        "kind": planned.kind,
        "prompt": planned.prompt,
        "hint": planned.hint,
        "required": planned.required,
        "choices": [{"name": name, "label": label} for name, label in planned.choices],
        "relevant": planned.relevant,
        "cues": list(planned.cues),
        "examples": list(planned.examples),
        "translations": dict(planned.translations),
    }


def write(blueprint: Blueprint, questionnaire: Questionnaire) -> None:
    """Make its domains and questions under a questionnaire that has none."""
    for place, planned in enumerate(blueprint.domains):
        domain = Domain.objects.create(
            questionnaire=questionnaire,
            slug=planned.slug,
            name=planned.name,
            colour=planned.colour,
            icon=planned.icon,
            translations=dict(planned.translations),
            position=place,
        )
        Question.objects.bulk_create(
            Question(domain=domain, position=position, **fields_of(question))
            for position, question in enumerate(planned.questions)
        )


def check(blueprint: Blueprint) -> list[Problem]:
    """All that keeps it from being published, in its order."""
    problems = []
    if not any(question.kind != Kind.NOTE for question in blueprint.questions):
        problems.append(Problem("", _("No tiene ninguna pregunta.")))
    if sum(1 for _question in blueprint.questions) > MAX_QUESTIONS:
        text = _("Tiene más de %(most)d preguntas.") % {"most": MAX_QUESTIONS}
        problems.append(Problem("", text))
    domains: set[str] = set()
    earlier: dict[str, PlannedQuestion] = {}
    for domain in blueprint.domains:
        problems += [Problem(domain.slug, text) for text in _wrong_with_domain(domain, domains)]
        domains.add(domain.slug)
        for question in domain.questions:
            problems += [Problem(question.slug, text) for text in wrong_with(question, earlier)]
            earlier[question.slug] = question
    return problems


def _wrong_with_domain(domain: PlannedDomain, known: set[str]) -> Iterator[str]:
    if not NAME.fullmatch(domain.slug) or len(domain.slug) > 40:
        yield _bad_name(domain.slug)
    if domain.slug in known:
        yield _("El nombre «%(name)s» está repetido.") % {"name": domain.slug}
    if not 0 < len(domain.name) <= 80:
        yield _("El nombre del ámbito debe tener entre 1 y 80 caracteres.")
    if domain.colour not in COLOURS:
        yield _("El color debe ser uno de estos: %(colours)s.") % {"colours": ", ".join(COLOURS)}
    if not re.fullmatch(r"[a-z0-9-]{1,40}", domain.icon):
        yield _("El icono debe ser un nombre de bootstrap-icons, por ejemplo «house-heart».")


def wrong_with(question: PlannedQuestion, earlier: Mapping[str, PlannedQuestion]) -> Iterator[str]:
    """``earlier``: the questions before it, by slug."""
    if not NAME.fullmatch(question.slug):
        yield _bad_name(question.slug)
    if question.slug in earlier:
        yield _("El nombre «%(name)s» está repetido.") % {"name": question.slug}
    if not question.text:
        yield _("Falta el texto de la pregunta.")
    for text in (question.text, question.prompt, question.hint, question.relevant):
        if len(text) > MAX_LENGTH:
            yield _("Hay un texto de más de %(most)d caracteres: «%(text)s…».") % {
                "most": MAX_LENGTH,
                "text": text[:40],
            }
    yield from _wrong_with_choices(question)
    yield from _wrong_with_sentences(question.cues, question.examples)
    yield from _wrong_with_condition(question, earlier)


def _wrong_with_choices(question: PlannedQuestion) -> Iterator[str]:
    if question.kind not in CHOOSING:
        if question.choices:
            yield _("Solo las preguntas de elegir llevan opciones.")
        return
    names = [name for name, _label in question.choices]
    labels = [label for _name, label in question.choices]
    if not names:
        yield _("Faltan las opciones entre las que se elige.")
    if len(names) > MAX_CHOICES:
        yield _("Tiene más de %(most)d opciones.") % {"most": MAX_CHOICES}
    for repeated in _repeated(names) + _repeated(labels):
        yield _("La opción «%(name)s» está repetida.") % {"name": repeated}
    for name, label in question.choices:
        if not re.fullmatch(r"[^\s;]{1,60}", name):
            yield _(
                "El nombre de la opción «%(name)s» no puede llevar espacios ni punto y coma."
            ) % {"name": name}
        if not 0 < len(label) <= MAX_LENGTH:
            yield _("La opción «%(name)s» no tiene texto, o es demasiado largo.") % {"name": name}
        if question.kind == Kind.SELECT_MULTIPLE and SEPARATOR.strip() in label:
            yield _("La opción «%(label)s» no puede llevar punto y coma.") % {"label": label}


def _wrong_with_sentences(cues: Sequence[str], examples: Sequence[str]) -> Iterator[str]:
    for sentences in (cues, examples):
        if len(sentences) > MAX_SENTENCES:
            yield _("Hay más de %(most)d pistas o ejemplos.") % {"most": MAX_SENTENCES}
        for sentence in sentences:
            if len(sentence) > MAX_SENTENCE:
                yield _("Hay un texto de más de %(most)d caracteres: «%(text)s…».") % {
                    "most": MAX_SENTENCE,
                    "text": sentence[:40],
                }
    for cue in cues:
        try:
            parse_cue(cue)
        except CueError as error:
            yield str(error)


def _wrong_with_condition(
    question: PlannedQuestion, earlier: Mapping[str, PlannedQuestion]
) -> Iterator[str]:
    try:
        condition = relevance.parse(question.relevant)
    except relevance.ConditionError as error:
        yield str(error)
        return
    for slug in sorted(condition.slugs):
        if slug not in earlier or earlier[slug].kind == Kind.NOTE:
            yield _(
                "La condición mira «%(name)s», que no es el nombre de ninguna pregunta anterior."
            ) % {"name": slug}


def _bad_name(name: str) -> str:
    return _(
        "El nombre «%(name)s» debe empezar por una letra y llevar solo letras sin acento, números, "
        "«-» y «_»."
    ) % {"name": name[:60]}


def _repeated(texts: Iterable[str]) -> list[str]:
    seen: set[str] = set()
    return [text for text in texts if text in seen or seen.add(text)]  # type: ignore[func-returns-value]
