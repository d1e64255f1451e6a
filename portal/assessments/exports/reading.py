"""Fichas read out of the database, a few queries for hundreds of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import cast
from uuid import UUID

from django.db.models import F, Q, QuerySet

from portal.accounts.models import Employee, Team
from portal.assessments import queries
from portal.assessments.exports.snapshot import (
    Asked,
    Ficha,
    Form,
    Given,
    Interview,
    Key,
    Quote,
    Section,
    plain,
)
from portal.assessments.models import Answer, Evidence, Question, Questionnaire, Sheet
from portal.assessments.typed import Value
from portal.conversations.models import Conversation
from portal.conversations.templatetags.conversations import shown_title

BATCH = 200
"""Fichas that are in memory at once."""


def of_sheet(sheet: Sheet) -> Ficha:
    """With quotes and interviews."""
    return next(_read([sheet.pk], forms(Sheet.objects.filter(pk=sheet.pk)), with_quotes=True))


def sheets_of(employee: Employee, team: Team) -> QuerySet[Sheet]:
    """Of the team, those that the employee may see, by the persons' names."""
    visible = queries.sheets_visible_to(employee).filter(participant__team=team)
    return visible.order_by("participant__name", "participant_id")


def each(
    sheets: QuerySet[Sheet], known: Mapping[int, Form], *, with_quotes: bool
) -> Iterator[list[Ficha]]:
    """In the order of ``sheets``, BATCH at a time, without a cursor that stays open between two
    batches while a browser takes one. Those of other forms than the ``known`` ones, by id, stay
    out: what has been sent already says which forms there are."""
    pks = list(sheets.values_list("pk", flat=True))
    for start in range(0, len(pks), BATCH):
        yield list(_read(pks[start : start + BATCH], known, with_quotes=with_quotes))


def forms(sheets: QuerySet[Sheet]) -> dict[int, Form]:
    """By id, the newest first: the versions of questionnaires that ``sheets`` have, and those that
    only an answer from before is left of."""
    sheets = sheets.order_by()
    before = Answer.objects.filter(sheet__in=sheets.values("pk"))
    latest = F("published_at").desc(nulls_last=True)
    found = Questionnaire.objects.filter(
        Q(pk__in=sheets.values("questionnaire"))
        | Q(pk__in=before.values("question__domain__questionnaire"))
    ).order_by(latest, "-version", "-pk")
    return {form.pk: _form(form) for form in found.prefetch_related("domains__questions")}


def _form(questionnaire: Questionnaire) -> Form:
    domains = [(domain, list(domain.questions.all())) for domain in questionnaire.domains.all()]
    return Form(
        pk=questionnaire.pk,
        slug=questionnaire.slug,
        version=questionnaire.version,
        team=questionnaire.team_id,
        name=plain(questionnaire.name),
        language=questionnaire.language,
        published_at=questionnaire.published_at,
        sections=tuple(
            Section(
                slug=domain.slug,
                name=plain(domain.name),
                colour=domain.colour,
                icon=domain.icon,
                questions=tuple(map(_asked, questions)),
            )
            for domain, questions in domains
        ),
        keys={
            question.pk: (domain.slug, question.slug)
            for domain, questions in domains
            for question in questions
        },
    )


def _asked(question: Question) -> Asked:
    return Asked(
        slug=question.slug,
        text=plain(question.text),
        kind=question.kind,
        required=question.required,
        choices={choice["name"]: plain(choice["label"]) for choice in question.choices},
        relevant=plain(question.relevant),
    )


def _read(pks: list[int], known: Mapping[int, Form], *, with_quotes: bool) -> Iterator[Ficha]:
    """Four queries, two without quotes. What many rows share is looked up, not joined to each."""
    sheets = (
        Sheet.objects.filter(questionnaire__in=known.keys())
        .select_related("participant__team")
        .in_bulk(pks)
    )
    answers: dict[int, list[Answer]] = {pk: [] for pk in sheets}
    found = Answer.objects.filter(sheet__in=sheets)
    for row in found.annotate(withdrawn_at=F("conversation__consent__withdrawn_at")):
        answers[row.sheet_id].append(row)
    talks = _talks(sheets.values()) if with_quotes else {}
    quotes = _quotes(sheets, talks) if with_quotes else {}
    places = {question: form.pk for form in known.values() for question in form.keys}
    for pk in pks:
        if (sheet := sheets.get(pk)) is not None:  # else it was erased meanwhile
            by_form: dict[int, dict[Key, Given]] = defaultdict(dict)
            for answer in answers[pk]:
                form = known[places[answer.question_id]]
                given = _given(answer, quotes.get(answer.pk, ()), talks)
                by_form[form.pk][form.keys[answer.question_id]] = given
            yield _ficha(sheet, known, by_form, talks)


def _talks(sheets: Iterable[Sheet]) -> dict[UUID, Conversation]:
    """Those of the persons that may leave."""
    people = [sheet.participant_id for sheet in sheets]
    talks = Conversation.objects.filter(participant__in=people, consent__withdrawn_at=None)
    return talks.select_related("created_by").in_bulk()


def _quotes(sheets: Collection[int], talks: Collection[UUID]) -> Mapping[int, list[Quote]]:
    """From ``talks``, by answer, in order."""
    evidence = Evidence.objects.filter(
        answer__sheet__in=sheets, turn__transcript__conversation__in=talks
    )
    rows = evidence.order_by("answer", "position").values_list(
        "answer", "quote", "turn__transcript__language", "start", "end",
        "turn__transcript__conversation",
    )  # fmt: skip
    found: dict[int, list[Quote]] = defaultdict(list)
    for answer, text, language, start, end, talk in rows:
        found[answer].append(Quote(plain(text), language, start, end, talk))
    return found


def _ficha(
    sheet: Sheet,
    known: Mapping[int, Form],
    by_form: Mapping[int, Mapping[Key, Given]],
    talks: Mapping[UUID, Conversation],
) -> Ficha:
    person = sheet.participant
    earlier = []
    for pk, form in known.items():
        left = {
            key: given
            for key, given in by_form.get(pk, {}).items()
            if given.is_withheld or given.state != Answer.State.UNASKED
        }
        if left and pk != sheet.questionnaire_id:
            earlier.append((form, left))
    every = [given for of_form in by_form.values() for given in of_form.values()]
    used = {quote.interview for given in every for quote in given.quotes}
    used |= {given.interview for given in every if given.interview is not None}
    ordered = sorted((talks[pk] for pk in used), key=lambda talk: talk.created_at)
    return Ficha(
        participant=person.pk,
        name=plain(person.name),
        team=person.team_id,
        team_name=plain(person.team.name),
        form=known[sheet.questionnaire_id],
        given=by_form.get(sheet.questionnaire_id, {}),
        interviews=tuple(
            Interview(
                id=talk.pk,
                number=number,
                title=plain(shown_title(talk)),
                held_at=talk.created_at,
                duration=talk.duration,
                interviewer=plain(talk.created_by.name),
            )
            for number, talk in enumerate(ordered, start=1)
        ),
        answered=sheet.answered,
        reviewed=sheet.reviewed,
        total=sheet.total,
        updated_at=sheet.updated_at,
        earlier=tuple(earlier),
        skipped=_skipped(known[sheet.questionnaire_id], by_form.get(sheet.questionnaire_id, {})),
    )


def _skipped(form: Form, given: Mapping[Key, Given]) -> frozenset[str]:
    asked = [question for _key, question in form.questions()]
    said = {
        slug: (one.value, cast(Value, one.typed))
        for (_domain, slug), one in given.items()
        if one.state == Answer.State.ANSWERED
    }
    return frozenset(one.slug for one in asked) - queries.relevant(asked, said)


def _given(answer: Answer, quotes: Iterable[Quote], talks: Mapping[UUID, Conversation]) -> Given:
    is_withdrawn = answer.withdrawn_at is not None  # type: ignore[attr-defined]  # annotated
    if is_withdrawn and answer.origin == Answer.Origin.MACHINE:
        return Given(is_withheld=True)
    return Given(
        state=answer.state,
        value=plain(answer.value),
        typed=answer.typed,
        origin=answer.origin,
        engine=answer.engine,
        model=answer.model,
        is_reviewed=answer.origin == Answer.Origin.PERSON or answer.reviewed_at is not None,
        interview=answer.conversation_id if answer.conversation_id in talks else None,
        quotes=tuple(quotes),
    )
