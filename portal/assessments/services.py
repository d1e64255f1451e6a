"""Writes of questionnaires, fichas and answers.

A machine proposes with proof, a person decides: `record_findings` only fills what nobody has
answered or decided, and only with words that really stand in the transcript.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from portal.accounts.models import Employee
from portal.analysis.engines.base import Evidence as AnalysisEvidence
from portal.analysis.engines.base import Finding
from portal.analysis.engines.base import Question as AnalysisQuestion
from portal.analysis.engines.base import Turn as AnalysisTurn
from portal.analysis.grounding import ground_finding
from portal.assessments import queries, quotes
from portal.assessments.models import Answer, Evidence, Question, Sheet
from portal.conversations import services as conversations
from portal.conversations.models import Conversation, Transcript, Turn
from portal.conversations.turns import insert, remove
from portal.participants import services as participants
from portal.participants.models import Participant
from portal.speech.engines import base as speech


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
        _count(sheet)
    return sheet


def questions_for(sheet: Sheet) -> tuple[AnalysisQuestion, ...]:
    """The ficha's questions as an analysis engine takes them, in order."""
    return for_analysis(a.question for a in sheet.answers.select_related("question__domain"))


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
    it is; only what an earlier look at this very conversation answered gives way to a new answer.
    Whichever engine found it, a finding counts as far as `portal.analysis.grounding` proves it.
    """
    turns = _as_they_are_now(conversation, turns)
    # The lock makes two conversations of one person wait for each other.
    sheet = Sheet.objects.select_for_update().get(pk=sheet_for(conversation.participant).pk)
    answers = {a.question.slug: a for a in sheet.answers.select_related("question")}
    spoken = turns_for(turns)
    for finding in (ground_finding(spoken, found) for found in findings):
        answer = answers.get(finding.question_id)
        if answer is not None and _is_news(answer, finding, turns, conversation):
            _propose(answer, finding, turns, conversation, engine, model)
    _count(sheet)
    return sheet


def _as_they_are_now(conversation: Conversation, turns: Sequence[Turn]) -> list[Turn]:
    """The same turns, which nobody edits until the transaction ends; one that is gone since they
    were read is without a word, and proves nothing."""
    Transcript.objects.select_for_update().filter(conversation=conversation).first()
    current = Turn.objects.select_related("speaker").in_bulk([turn.pk for turn in turns])
    return [
        current.get(turn.pk) or Turn(pk=turn.pk, speaker=turn.speaker, text="") for turn in turns
    ]


def _is_news(
    answer: Answer, finding: Finding, turns: Sequence[Turn], conversation: Conversation
) -> bool:
    if answer.may_become(finding.state):
        return True
    if answer.origin != Answer.Origin.MACHINE or answer.conversation_id != conversation.pk:
        return False
    if finding.state not in (Answer.State.ANSWERED, Answer.State.DECLINED):
        return False
    known = [(piece.turn_id, piece.quote) for piece in answer.evidence.all()]
    found = [(turns[piece.turn].pk, piece.quote) for piece in finding.evidence]
    return (answer.state, answer.value, known) != (finding.state, finding.answer, found)


def _propose(
    answer: Answer,
    finding: Finding,
    turns: Sequence[Turn],
    conversation: Conversation,
    engine: str,
    model: str,
) -> None:
    proofs = []
    for position, piece in enumerate(finding.evidence):
        turn = turns[piece.turn]
        span = quotes.locate(piece.quote, turn.text, turn.words, turn.start, turn.end)
        start, end = span or (turn.start, turn.end)
        proofs.append(
            Evidence(
                answer=answer,
                turn=turn,
                quote=piece.quote,
                start=start,
                end=end,
                position=position,
            )
        )
    answer.state = finding.state
    answer.value = finding.answer
    answer.origin = Answer.Origin.MACHINE
    answer.engine = engine
    answer.model = model
    answer.confidence = finding.confidence
    answer.conversation = conversation
    answer.edited_by = None
    answer.save()
    answer.evidence.all().delete()
    Evidence.objects.bulk_create(proofs)


@transaction.atomic
def replace_transcript(*, conversation: Conversation, transcript: speech.Transcript) -> Transcript:
    """Keep ``transcript`` in place of the one before, if any, without losing what rests on that
    one: its evidence moves to the words that the new one has at the same seconds."""
    sheet = locked_sheet(conversation)
    moving = list(Evidence.objects.filter(turn__transcript__conversation=conversation))
    kept = conversations.save_transcript(conversation=conversation, transcript=transcript)
    turns = list(kept.turns.all())
    moved = []
    for piece in moving:
        place = quotes.find_again(piece.quote, piece.start, piece.end, turns)
        if place is not None:
            moved.append(
                Evidence(
                    answer_id=piece.answer_id,
                    turn=turns[place.turn],
                    quote=place.quote,
                    start=place.start,
                    end=place.end,
                    position=piece.position,
                )
            )
    Evidence.objects.bulk_create(moved)
    if sheet is not None:
        _prove_again(sheet, conversation)
    return kept


@transaction.atomic
def rewrite_turns(
    *,
    transcript: Transcript,
    written: Sequence[Turn],
    made: Mapping[int, Turn],
    removed: Collection[Turn],
) -> None:
    """Keep turns as a person has them now, without losing what rests on their words.

    ``written``: those that were changed, ``made``: new ones by the position they take,
    ``removed``: those whose words are in others now, or gone. Evidence goes where its words have
    gone; a machine's answer without any left is taken back. The caller holds the transcript's row.
    """
    conversation = transcript.conversation
    sheet = locked_sheet(conversation)
    moving = list(Evidence.objects.filter(turn__in=[*written, *removed]))
    for turn in written:
        turn.save()
    for position, turn in sorted(made.items()):
        insert(turn, position=position)
    present = sorted([*written, *made.values()], key=lambda turn: turn.position)
    for piece in moving:
        place = quotes.follow(piece.quote, piece.start, piece.end, present)
        if place is None:
            piece.delete()
            continue
        piece.turn, piece.quote = present[place.turn], place.quote
        piece.start, piece.end = place.start, place.end
        piece.save()
    for turn in removed:
        remove(turn)
    if sheet is not None:
        _prove_again(sheet, conversation)


@transaction.atomic
def prove_again(*, conversation: Conversation) -> None:
    """Hold what machines answered from a conversation against its turns as they are now, when
    for example other roles were given to its voices. What is proven no longer is taken back."""
    sheet = locked_sheet(conversation)
    if sheet is not None:
        _prove_again(sheet, conversation)


def _prove_again(sheet: Sheet, conversation: Conversation) -> None:
    turns = list(
        Turn.objects.filter(transcript__conversation=conversation).select_related("speaker")
    )
    numbers = {turn.pk: number for number, turn in enumerate(turns)}
    spoken = turns_for(turns)
    proposed = sheet.answers.filter(origin=Answer.Origin.MACHINE, conversation=conversation)
    for answer in proposed.select_related("question").prefetch_related("evidence"):
        pieces = [
            AnalysisEvidence(numbers[piece.turn_id], piece.quote)
            for piece in answer.evidence.all()
            if piece.turn_id in numbers
        ]
        said = Finding(
            question_id=answer.question.slug,
            state=answer.state,  # type: ignore[arg-type]  # the same words as a choice
            answer=answer.value,
            evidence=tuple(pieces),
            confidence=answer.confidence,
        )
        proven = ground_finding(spoken, said)
        if proven.state == "unasked":
            take_back(answer)
        elif proven.state != answer.state:
            _propose(answer, proven, turns, conversation, answer.engine, answer.model)
    _count(sheet)


def take_back(answer: Answer) -> None:
    """As if nobody had answered. The caller holds the sheet's row and counts it anew."""
    answer.state, answer.origin = Answer.State.UNASKED, Answer.Origin.NONE
    answer.value = answer.engine = answer.model = ""
    answer.confidence, answer.conversation = 0.0, None
    answer.save()
    answer.evidence.all().delete()


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


@transaction.atomic
def edit_answer(
    *, answer: Answer, employee: Employee, value: str = "", state: str | None = None
) -> Answer:
    """What a person says the answer is; from now on no machine touches it.

    A text makes it answered. Without one, ``state`` says whether it is unasked (the default),
    asked or declined; those states carry no text. What a machine heard stays as evidence.
    Raises ValidationError for an answered question without text, or an unknown state.
    """
    value = value.replace("\x00", "").strip()  # PostgreSQL takes none
    if state is None:
        state = Answer.State.ANSWERED if value else Answer.State.UNASKED
    if state not in Answer.State.values:
        raise ValidationError(_("Ese estado no existe."))
    if state == Answer.State.ANSWERED and not value:
        raise ValidationError(_("Para darla por respondida, escriba la respuesta."))
    sheet = Sheet.objects.select_for_update().get(pk=answer.sheet_id)
    answer.state = state
    answer.value = value if state == Answer.State.ANSWERED else ""
    answer.origin = Answer.Origin.PERSON
    answer.edited_by = employee
    answer.save(update_fields=["state", "value", "origin", "edited_by", "updated_at"])
    _count(sheet)
    participants.touch(sheet.participant)
    return answer


def locked_sheet(conversation: Conversation) -> Sheet | None:
    """The participant's ficha, if there is one: two conversations of one person take turns."""
    return Sheet.objects.select_for_update().filter(participant=conversation.participant_id).first()


def _count(sheet: Sheet) -> None:
    sheet.total = sheet.answers.count()
    sheet.answered = sheet.answers.filter(state=Answer.State.ANSWERED).count()
    sheet.save(update_fields=["answered", "total", "updated_at"])
