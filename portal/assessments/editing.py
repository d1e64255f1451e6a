"""Changes of a draft by a coordinator in the browser. What is published is not changed: every
service raises ValidationError then.

Whoever saves a part says as what they saw it (`version_of`). If it is another one by now, nothing
is written, and `Changed` has it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils.text import slugify
from django.utils.translation import gettext as _

from portal.assessments import blueprint, queries
from portal.assessments.blueprint import COLOURS, PlannedQuestion
from portal.assessments.models import Domain, Question, Questionnaire
from portal.assessments.versions import locked_draft

UP, DOWN = -1, 1


class Changed(ValidationError):
    """Somebody has changed the part that one was changing; ``now`` is how it is."""

    def __init__(self, now: Question | Domain) -> None:
        super().__init__(
            _(
                "Otra persona ha guardado un cambio aquí mientras usted escribía. No se ha "
                "sobrescrito nada y lo suyo sigue abajo: compárelo con lo que hay ahora y guarde "
                "de nuevo."
            )
        )
        self.now = now


def version_of(part: Question | Domain) -> str:
    """Another one as soon as what a coordinator writes of it is another; its place is not."""
    written: tuple[Any, ...] = (
        (part.domain_id, blueprint.fields_of(blueprint.of_question(part)))
        if isinstance(part, Question)
        else (part.name, part.colour, part.icon)
    )
    return hashlib.sha256(repr(written).encode()).hexdigest()


@transaction.atomic
def rename(*, draft: Questionnaire, name: str) -> None:
    draft = locked_draft(draft.pk)
    draft.name = name
    draft.save(update_fields=["name"])


@transaction.atomic
def save_domain(
    *, draft: Questionnaire, domain: Domain | None, seen: str, name: str, colour: str, icon: str
) -> Domain:
    """Without a ``domain`` it is a new one, at the end. Raises Changed."""
    draft = locked_draft(draft.pk)
    if domain is None:
        taken = set(draft.domains.values_list("slug", flat=True))
        domain = Domain(
            questionnaire=draft,
            slug=free_name(name, taken, longest=40),
            position=_next(draft.domains.aggregate(last=Max("position"))),
        )
    else:
        _look_again(domain)
        if (domain.name, domain.colour, domain.icon) != (name, colour, icon):
            _check_seen(domain, seen)
    domain.name, domain.colour, domain.icon = name, colour, icon
    domain.save()
    return domain


def next_colour(draft: Questionnaire) -> str:
    """One that no domain has, as long as there is one."""
    used = set(draft.domains.values_list("colour", flat=True))
    free = [colour for colour in COLOURS if colour not in used]
    return free[0] if free else COLOURS[draft.domains.count() % len(COLOURS)]


@transaction.atomic
def save_question(
    *, domain: Domain, question: Question | None, seen: str, planned: PlannedQuestion
) -> Question:
    """Without a ``question`` it is a new one, at the end of the domain, as is one that comes from
    another. Raises Changed, and ValidationError with all that is wrong with it."""
    draft = locked_draft(domain.questionnaire_id)
    if question is not None:
        _look_again(question)
        # It may be that already: the answer to an earlier try was lost.
        if (question.domain_id, blueprint.of_question(question)) != (domain.pk, planned):
            _check_seen(question, seen)
    wrong = list(blueprint.wrong_with(planned, _earlier(draft, domain, question)))
    if wrong:
        raise ValidationError(wrong)
    if question is None:
        question = Question(domain=domain)
    if question.pk is None or question.domain_id != domain.pk:
        question.position = _next(domain.questions.aggregate(last=Max("position")))
    question.domain = domain
    for name, value in blueprint.fields_of(planned).items():
        setattr(question, name, value)
    question.save()
    return question


def new_slug(draft: Questionnaire, text: str) -> str:
    """A name for a question with that text, which answers will go by in further versions too."""
    return free_name(text, {q.slug for q in queries.all_of(draft)}, longest=40)


def free_name(text: str, taken: set[str], *, longest: int) -> str:
    """Made of the text's first words, in the form of XLSForm's names."""
    plain = slugify(text).replace("-", "_")[:longest].strip("_")
    name = plain if plain[:1].isalpha() else f"p_{plain}".rstrip("_")
    number, candidate = 1, name[:longest]
    while candidate in taken:
        number += 1
        candidate = f"{name[: longest - len(str(number)) - 1]}_{number}"
    return candidate


@transaction.atomic
def move_question(*, question: Question, by: int) -> None:
    """One place up or down: past the ends of its domain into the one beside it."""
    draft = locked_draft(question.domain.questionnaire_id)
    domains = list(draft.domains.all())
    lists = [list(domain.questions.all()) for domain in domains]
    home = domains.index(question.domain)
    place = lists[home].index(question)
    lists[home].remove(question)
    if 0 <= place + by <= len(lists[home]):
        lists[home].insert(place + by, question)
    elif 0 <= home + by < len(domains):
        lists[home + by].insert(len(lists[home + by]) if by == UP else 0, question)
    else:
        return
    for domain, questions in zip(domains, lists, strict=True):
        for position, moved in enumerate(questions):
            moved.domain, moved.position = domain, position
            moved.save(update_fields=["domain", "position"])


@transaction.atomic
def move_domain(*, domain: Domain, by: int) -> None:
    draft = locked_draft(domain.questionnaire_id)
    domains = list(draft.domains.all())
    place = domains.index(domain)
    domains.insert(max(0, place + by), domains.pop(place))
    for position, moved in enumerate(domains):
        moved.position = position
        moved.save(update_fields=["position"])


@transaction.atomic
def remove(*, part: Question | Domain) -> None:
    """With the questions in it, if it is a domain."""
    domain = part.domain if isinstance(part, Question) else part
    locked_draft(domain.questionnaire_id)
    part.delete()


def choices_from(
    lines: Sequence[str], before: Sequence[dict[str, str]]
) -> tuple[tuple[str, str], ...]:
    """Of lines like "alquiler = En alquiler" or "En alquiler": an option that keeps its text
    keeps its name."""
    names = {choice["label"]: choice["name"] for choice in before}
    made: list[tuple[str, str]] = []
    for line in lines:
        name, sign, label = (part.strip() for part in line.partition("="))
        if not sign or not label or " " in name:
            label = line
            taken = {name for name, _label in made} | set(names.values())
            name = names.get(label) or free_name(label, taken, longest=60)
        made.append((name, label))
    return tuple(made)


def _look_again(part: Question | Domain) -> None:
    """Raises ValidationError where it has gone."""
    try:
        part.refresh_from_db()
    except ObjectDoesNotExist:
        raise ValidationError(
            _("Otra persona lo ha borrado mientras usted escribía. Si aún hace falta, añádalo.")
        ) from None


def _check_seen(part: Question | Domain, seen: str) -> None:
    if version_of(part) != seen:
        raise Changed(part)


def _earlier(
    draft: Questionnaire, domain: Domain, question: Question | None
) -> dict[str, PlannedQuestion]:
    """The questions before a place: that of the question, or else the end of the domain."""
    stays = question is not None and question.domain_id == domain.pk
    here: Callable[[Question], Any] = (
        (lambda q: (q.domain.position, q.position) < (domain.position, question.position))
        if stays and question is not None
        else (lambda q: q.domain.position <= domain.position and q != question)
    )
    return {q.slug: blueprint.of_question(q) for q in queries.all_of(draft) if here(q)}


def _next(found: dict[str, int | None]) -> int:
    return 0 if found["last"] is None else found["last"] + 1
