"""Writes of fichas and answers.

A machine proposes with proof, a person decides: `record_findings` only fills what nobody has
answered or decided, and only with words that really stand in the transcript. What a person decides
of a proposal is in `review`, what becomes of proof in `proofs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.accounts.models import Employee
from portal.analysis.engines.base import Finding
from portal.analysis.engines.base import Question as AnalysisQuestion
from portal.analysis.engines.base import Turn as AnalysisTurn
from portal.analysis.grounding import ground_finding
from portal.assessments import queries, quotes, suggestions, typed
from portal.assessments.models import Answer, Question, Sheet
from portal.assessments.records import (
    SETTLED,
    Action,
    Piece,
    Proposal,
    confirm,
    count,
    keep_left,
    locked_answer,
    note,
    put,
)
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Transcript, Turn
from portal.participants import services as participants
from portal.participants.models import Participant


@transaction.atomic
def sheet_for(participant: Participant) -> Sheet:
    """The participant's ficha, made on first use from the team's questionnaire, or, where the
    team has none, from the one every team starts with."""
    sheet = Sheet.objects.filter(participant=participant).first()
    if sheet is not None:
        return sheet
    questionnaire = queries.questionnaire_for(participant)
    sheet, made = Sheet.objects.get_or_create(
        participant=participant, defaults={"questionnaire": questionnaire}
    )
    if made:
        Answer.objects.bulk_create(
            Answer(sheet=sheet, question=question)
            for question in queries.questions_of(questionnaire)
        )
        count(sheet)
    return sheet


def questions_for(sheet: Sheet) -> tuple[AnalysisQuestion, ...]:
    """The ficha's questions as an analysis engine takes them, in order.

    Also those whose condition does not hold yet: one talk may tell both that they matter and what
    the answer is.
    """
    answers = sheet.answers.select_related("question__domain")
    return for_analysis(a.question for a in answers if not queries.is_of_before(a, sheet))


def for_analysis(questions: Iterable[Question]) -> tuple[AnalysisQuestion, ...]:
    """As an analysis engine takes them; reads each one's ``domain``."""
    return tuple(
        AnalysisQuestion(
            id=question.slug,
            domain=question.domain.slug,
            text=question.text,
            cues=tuple(question.cues),
            examples=tuple(question.examples),
        )
        for question in questions
    )


def turns_for(turns: Sequence[Turn]) -> list[AnalysisTurn]:
    """A transcript's turns as an analysis engine takes them, in order."""
    return [AnalysisTurn(speaker=turn.speaker.role, text=turn.text) for turn in turns]


@transaction.atomic
def record_findings(
    *,
    conversation: Conversation,
    findings: Sequence[Finding],
    turns: Sequence[Turn],
    engine: str,
    model: str,
) -> Sheet:
    """Put what an engine found in a conversation into the participant's ficha.

    ``turns`` are the ones the engine read, in its order: evidence points into them by index. What
    people have changed of them since then counts as it stands now. May be called again with the
    same or other findings: what is answered or declined, and whatever a person decided, stays as
    it is, and what says otherwise is suggested beside it; only what an earlier look at this very
    conversation proposed, and nobody accepted, gives way to a new answer.
    Whichever engine found it, a finding counts as far as `portal.analysis.grounding` proves it.
    """
    turns = _as_they_are_now(conversation, turns)
    # The lock makes two conversations of one person wait for each other.
    sheet = Sheet.objects.select_for_update().get(pk=sheet_for(conversation.participant).pk)
    known = sheet.answers.select_related("question", "conversation")
    answers = {
        answer.question.slug: answer for answer in known.prefetch_related("evidence", "suggestions")
    }
    spoken = turns_for(turns)
    for finding in (ground_finding(spoken, found) for found in findings):
        answer = answers.get(finding.question_id)
        if answer is not None and finding.state != "unasked":
            finding = as_answered(answer.question, finding)
            proposal = _proposal(answer.question, finding, turns, conversation, engine, model)
            _consider(answer, proposal)
    count(sheet)
    return sheet


def as_answered(question: Question, finding: Finding) -> Finding:
    """With its answer in the form of the question's kind, where the words tell it: "Somos tres en
    casa" is 3. Where they don't, a person sees the words and decides."""
    said = (finding.answer, *(piece.quote for piece in finding.evidence))
    value = typed.read(question.kind, question.choices, *said) if finding.answer else None
    if value is None:
        return finding
    return replace(finding, answer=typed.show(question.kind, question.choices, value))


def _as_they_are_now(conversation: Conversation, turns: Sequence[Turn]) -> list[Turn]:
    """The same turns, which nobody edits until the transaction ends; one that is gone since they
    were read is without a word, and proves nothing."""
    Transcript.objects.select_for_update().filter(conversation=conversation).first()
    current = Turn.objects.select_related("speaker").in_bulk([turn.pk for turn in turns])
    return [
        current.get(turn.pk) or Turn(pk=turn.pk, speaker=turn.speaker, text="") for turn in turns
    ]


def _proposal(
    question: Question,
    finding: Finding,
    turns: Sequence[Turn],
    conversation: Conversation,
    engine: str,
    model: str,
) -> Proposal:
    evidence = []
    for piece in finding.evidence:
        turn = turns[piece.turn]
        span = quotes.locate(piece.quote, turn.text, turn.words, turn.start, turn.end)
        start, end = span or (turn.start, turn.end)
        evidence.append(Piece(turn=turn.pk, quote=piece.quote, start=start, end=end))
    value = typed_value(question, finding.answer)
    text = finding.answer
    if value is None:
        text = quotes.shortened(text, [piece["quote"] for piece in evidence])
    return Proposal(
        conversation=conversation,
        state=finding.state,
        value=text,
        typed=value,
        evidence=tuple(evidence),
        engine=engine,
        model=model,
        confidence=finding.confidence,
    )


def _consider(answer: Answer, proposal: Proposal) -> None:
    """It fills what is open, takes the place of what the same conversation proposed before, or
    stands beside what is decided and what another interview brought."""
    if suggestions.was_left(answer, proposal):
        return
    if answer.may_become(proposal.state):
        asked = proposal.state == Answer.State.ASKED
        put(answer, proposal, Action.ASKED if asked else Action.PROPOSED)
    elif proposal.state not in SETTLED:
        return
    elif answer.is_proposal and answer.conversation_id == proposal.conversation.pk:
        if _differs(answer, proposal):
            put(answer, proposal, Action.PROPOSED)
    else:
        suggestions.offer(answer, proposal)


def _differs(answer: Answer, proposal: Proposal) -> bool:
    known = [(piece.turn_id, piece.quote) for piece in answer.evidence.all()]
    found = [(piece["turn"], piece["quote"]) for piece in proposal.evidence]
    return (answer.state, answer.value, known) != (proposal.state, proposal.value, found)


@transaction.atomic
def mark_asked(*, conversation: Conversation, question: str, employee: Employee) -> None:
    """A person ticked the question with that slug while the conversation was recorded. What was
    heard may still fill it; what is known already, or a person decided in the ficha, stays."""
    sheet = Sheet.objects.select_for_update().get(pk=sheet_for(conversation.participant).pk)
    answer = sheet.answers.filter(
        question__slug=question, state=Answer.State.UNASKED, origin=Answer.Origin.NONE
    ).first()
    if answer is not None:
        answer.state, answer.edited_by = Answer.State.ASKED, employee
        answer.conversation = conversation
        answer.save()
        note(answer, Action.ASKED, employee=employee)


@transaction.atomic
def edit_answer(
    *,
    answer: Answer,
    employee: Employee,
    value: str = "",
    state: str | None = None,
    seen: str | None = None,
) -> Answer:
    """What a person says the answer is; from now on no machine touches it.

    A text makes it answered. Without one, ``state`` says whether it is unasked (the default),
    asked or declined; those states carry no text. What a machine heard stays as evidence, and what
    it proposed is not proposed again; saved just as it was, it is accepted.
    ``seen``: the `Answer.version` that the person was looking at.
    Raises Refused, with what there is now, when a colleague has decided otherwise since; and
    ValidationError for an answered question without text, for a text that is not of the question's
    kind (`typed.parse` says how one is written), or an unknown state.
    """
    value = value.replace("\x00", "").strip()  # PostgreSQL takes none
    if state is None:
        state = Answer.State.ANSWERED if value else Answer.State.UNASKED
    if state not in Answer.State.values:
        raise ValidationError(_("Ese estado no existe."))
    if state == Answer.State.ANSWERED and not value:
        raise ValidationError(_("Para darla por respondida, escriba la respuesta."))
    answer = locked_answer(answer)
    told: typed.Value = None
    if state == Answer.State.ANSWERED:
        kind, choices = answer.question.kind, answer.question.choices
        try:
            told = typed.parse(kind, choices, value)
        except typed.Unreadable as error:
            raise ValidationError(str(error)) from None
        if told is not None:
            value = typed.show(kind, choices, told)
    else:
        value = ""
    same = (answer.state, answer.value) == (state, value)
    if same and answer.is_reviewed:
        return answer
    if same and answer.is_proposal:
        confirm(answer, employee)
    else:
        if seen and seen != answer.version:
            _refuse_to_overwrite(answer, employee)
        keep_left(answer, employee)
        answer.state, answer.value, answer.typed = state, value, told
        answer.origin = Answer.Origin.PERSON
        answer.edited_by = answer.reviewed_by = employee
        answer.reviewed_at = timezone.now()
        answer.save()
        note(answer, Action.EDITED, employee=employee)
    suggestions.close_agreeing(answer, employee)
    count(answer.sheet)
    participants.touch(answer.sheet.participant)
    return answer


def _refuse_to_overwrite(answer: Answer, employee: Employee) -> None:
    """Raises Refused when the last word is a colleague's: written, accepted, rejected or taken."""
    latest = answer.changes.select_related("employee").first()
    if latest is None or latest.employee is None or latest.employee == employee:
        return
    text = (
        _("Mientras escribía, %(name)s guardó: «%(value)s». Si guarda ahora, lo suyo la sustituye.")
        if answer.value
        else _("Mientras escribía, %(name)s cambió esta respuesta. Si guarda ahora, vale lo suyo.")
    )
    told = text % {"name": latest.employee, "value": answer.value}
    raise Refused("changed", told, status=409)


def typed_value(question: Question, text: str) -> typed.Value:
    """Of a text as the ficha has it; None where it is not of the question's kind."""
    try:
        return typed.parse(question.kind, question.choices, text)
    except typed.Unreadable:
        return None
