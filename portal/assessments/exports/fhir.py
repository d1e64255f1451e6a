"""Fichas as HL7 FHIR R4: a `Questionnaire` for each version, a `QuestionnaireResponse` for each
ficha, together in a `Bundle`. docs/fhir.md says what stands where.

No name of a person leaves in these: persons, offices and interviews are referred to by their ids.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from django.conf import settings
from django.utils import timezone

from portal.assessments.exports.snapshot import (
    Asked,
    Ficha,
    Form,
    Given,
    Key,
    Quote,
    Section,
    names_chosen,
)
from portal.assessments.models import Answer, Question

Json = dict[str, Any]

OURS = "urn:portal-de-conversaciones:fhir:"
"""Before the names of our extensions: the same in every installation, whatever its address."""

ABSENT = "http://hl7.org/fhir/StructureDefinition/data-absent-reason"

TYPES = {
    Question.Kind.TEXT: "text",
    Question.Kind.INTEGER: "integer",
    Question.Kind.DECIMAL: "decimal",
    Question.Kind.DATE: "date",
    Question.Kind.SELECT_ONE: "choice",
    Question.Kind.SELECT_MULTIPLE: "choice",
    Question.Kind.NOTE: "display",
}

REASONS = {
    Answer.State.UNASKED: "not-asked",
    Answer.State.ASKED: "asked-unknown",
    Answer.State.DECLINED: "asked-declined",
}
"""Of FHIR's own for an answer that is not there."""


def bundle(fichas: Iterable[Sequence[Ficha]], forms: Iterable[Form]) -> Iterator[bytes]:
    """A Bundle of type collection, in pieces: its forms, then one piece for each batch."""
    head = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": _instant(timezone.now()),
    }
    yield f'{_dumps(head)[:-1]}, "entry": ['.encode()
    yield ",\n".join(_entry(_form_uuid(form), questionnaire(form)) for form in forms).encode()
    for batch in fichas:
        for ficha in batch:
            for uuid, resource in responses(ficha):
                yield f",\n{_entry(uuid, resource)}".encode()
    yield b"]}"


def questionnaire(form: Form) -> Json:
    """What FHIR knows of a form: wording, kinds, choices, what is required. Conditions stand in an
    extension; cues and translations are in its XLSForm."""
    return {
        "resourceType": "Questionnaire",
        "id": str(_form_uuid(form)),
        "url": canonical(form),
        "version": str(form.version),
        "title": form.name,
        "status": "active",  # it has answers
        "language": form.language,
        "subjectType": ["Patient"],
        "item": [
            {
                "linkId": section.slug,
                "type": "group",
                "text": section.name,
                "item": [_question(section, asked) for asked in section.questions],
            }
            for section in form.sections
        ],
    } | ({"date": _instant(form.published_at)} if form.published_at else {})


def responses(ficha: Ficha) -> Iterator[tuple[UUID, Json]]:
    """One ficha: its answers, and for each earlier form what only that one asked. Completed once
    everything is answered or declined, and reviewed."""
    given = {
        key: ficha.given_to(key)
        for key, asked in ficha.form.questions()
        if asked.is_answered and asked.slug not in ficha.skipped
    }
    yield _response(ficha, ficha.form, given, is_complete=ficha.is_complete)
    for form, left in ficha.earlier:
        is_complete = all(one.is_reviewed for one in left.values())
        yield _response(ficha, form, left, is_complete=is_complete)


def _response(
    ficha: Ficha, form: Form, given: Mapping[Key, Given], *, is_complete: bool
) -> tuple[UUID, Json]:
    # Its own id: the participant's is that of a person.
    uuid = uuid5(ficha.participant, f"{canonical(form)}|{form.version}")
    person = {"type": "Patient", "identifier": _identified(f"urn:uuid:{ficha.participant}")}
    groups = []
    for section in form.sections:
        asked_here = [a for a in section.questions if (section.slug, a.slug) in given]
        items = [_item(section, asked, given[section.slug, asked.slug]) for asked in asked_here]
        if items:
            groups.append({"linkId": section.slug, "text": section.name, "item": items})
    return uuid, {
        "resourceType": "QuestionnaireResponse",
        "id": str(uuid),
        "questionnaire": f"{canonical(form)}|{form.version}",
        "status": "completed" if is_complete else "in-progress",
        "subject": person,
        "source": person,
        # The office answers for it, not whichever employee wrote last.
        "author": {
            "type": "Organization",
            "identifier": {"system": f"{settings.ENV.origin}/fhir/team", "value": str(ficha.team)},
        },
        "authored": _instant(ficha.updated_at),
    } | ({"item": groups} if groups else {})


def canonical(form: Form) -> str:
    """A form's address without its version. Two teams may have one of the same name."""
    whose = "" if form.team is None else f"{form.team}/"
    return f"{settings.ENV.origin}/fhir/Questionnaire/{whose}{form.slug}"


def link(key: Key) -> str:
    """Of a question; a domain's is its slug."""
    return "/".join(key)


def _question(section: Section, asked: Asked) -> Json:
    item: Json = {
        "linkId": link((section.slug, asked.slug)),
        "type": TYPES[Question.Kind(asked.kind)],
        "text": asked.text,
    }
    if asked.relevant:
        item["extension"] = [{"url": f"{OURS}relevant", "valueString": asked.relevant}]
    if asked.is_answered:
        item["required"] = asked.required
    if asked.kind == Question.Kind.SELECT_MULTIPLE:
        item["repeats"] = True
    if asked.choices:
        item["answerOption"] = [{"valueCoding": _coding(asked, name)} for name in asked.choices]
    return item


def _item(section: Section, asked: Asked, given: Given) -> Json:
    item: Json = {"linkId": link((section.slug, asked.slug)), "text": asked.text}
    extensions = []
    answers: list[Json] = []
    if given.is_withheld:
        extensions.append({"url": ABSENT, "valueCode": "masked"})
    elif given.state != Answer.State.ANSWERED:
        extensions.append({"url": ABSENT, "valueCode": REASONS[Answer.State(given.state)]})
    else:
        answers = _values(asked, given)
        if not answers:
            extensions.append({"url": ABSENT, "valueCode": "as-text"})
            extensions.append({"url": f"{OURS}said", "valueString": given.value})
    if given.origin:
        extensions.append(_origin(given))
    extensions += map(_evidence, given.quotes)
    if extensions:
        item["extension"] = extensions
    if answers:
        item["answer"] = answers
    return item


def _values(asked: Asked, given: Given) -> list[Json]:
    """Of the type that the question has; nothing when nobody has brought the words into it."""
    match asked.kind, given.typed:
        case Question.Kind.TEXT, _:
            return [{"valueString": given.value}]
        case Question.Kind.INTEGER, int() as number if abs(number) < 2**31:
            return [{"valueInteger": number}]
        case Question.Kind.DECIMAL, int() | float() as number:
            return [{"valueDecimal": number}]
        case Question.Kind.DATE, str() as day:
            return [{"valueDate": date.fromisoformat(day).isoformat()}]
        case Question.Kind.SELECT_ONE | Question.Kind.SELECT_MULTIPLE, chosen:
            return [{"valueCoding": _coding(asked, name)} for name in names_chosen(chosen)]
        case _:
            return []


def _coding(asked: Asked, name: str) -> Json:
    label = asked.choices.get(name)
    return {"code": name} | ({"display": label} if label else {})


def _origin(given: Given) -> Json:
    parts: list[Json] = [
        {"url": "by", "valueCode": given.origin},
        {"url": "reviewed", "valueBoolean": given.is_reviewed},
    ]
    parts += (
        {"url": name, "valueString": text}
        for name, text in (("engine", given.engine), ("model", given.model))
        if text
    )
    if given.interview is not None:
        parts.append({"url": "interview", "valueUri": f"urn:uuid:{given.interview}"})
    return {"url": f"{OURS}origin", "extension": parts}


def _evidence(quote: Quote) -> Json:
    parts: list[Json] = [
        {"url": "quote", "valueString": quote.text},
        {"url": "interview", "valueUri": f"urn:uuid:{quote.interview}"},
        {"url": "start", "valueDecimal": round(quote.start, 2)},
        {"url": "end", "valueDecimal": round(quote.end, 2)},
    ]
    if quote.language:
        parts.append({"url": "language", "valueCode": quote.language})
    return {"url": f"{OURS}evidence", "extension": parts}


def _identified(uri: str) -> Json:
    return {"system": "urn:ietf:rfc:3986", "value": uri}


def _form_uuid(form: Form) -> UUID:
    return uuid5(NAMESPACE_URL, f"{canonical(form)}|{form.version}")


def _entry(uuid: UUID, resource: Json) -> str:
    return _dumps({"fullUrl": f"urn:uuid:{uuid}", "resource": resource})


def _instant(moment: datetime) -> str:
    return timezone.localtime(moment).isoformat(timespec="seconds")


def _dumps(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)
