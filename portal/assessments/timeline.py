"""What has changed in a ficha: of one answer, and from one interview to the next."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from portal.assessments.models import Answer, AnswerChange, Sheet
from portal.assessments.queries import Quoted, relevant_answers
from portal.assessments.records import SETTLED
from portal.conversations.models import Conversation


@dataclass(frozen=True)
class Entry:
    """A change of an answer with the words that it rested on."""

    change: AnswerChange
    quotes: tuple[Quoted, ...]


@dataclass(frozen=True)
class Known:
    """What was known of a question at a time."""

    state: str = Answer.State.UNASKED
    value: str = ""

    @property
    def is_settled(self) -> bool:
        return self.state in SETTLED

    @property
    def label(self) -> str:
        return str(Answer.State(self.state).label)


@dataclass(frozen=True)
class Difference:
    answer: Answer
    before: Known
    after: Known


@dataclass(frozen=True)
class Interview:
    """A conversation with what it changed, and what people changed until the next one.

    ``suggested``: answers of the ficha's page beside which what it says still waits.
    """

    conversation: Conversation
    new: tuple[Difference, ...]
    changed: tuple[Difference, ...]
    gone: tuple[Difference, ...]
    suggested: tuple[Answer, ...]

    @property
    def is_without_news(self) -> bool:
        return not (self.new or self.changed or self.gone or self.suggested)


def of_answer(answer: Answer) -> list[Entry]:
    """The latest first."""
    changes = answer.changes.select_related("conversation", "employee").order_by("-pk")
    return [
        Entry(
            change,
            tuple(
                Quoted(change.conversation, piece["quote"], piece["start"], None)
                for piece in change.evidence
                if change.conversation is not None
            ),
        )
        for change in changes
    ]


def of_sheet(sheet: Sheet) -> list[Interview]:
    """The latest interview first; one that nobody has written down yet has not changed anything.
    Whoever asks may see the ficha."""
    written = sheet.participant.conversations.exclude(transcript=None)
    conversations = list(written.order_by("created_at"))
    answers = {
        answer.pk: answer
        for answer in sheet.answers.select_related("question__domain").prefetch_related(
            "suggestions"
        )
    }
    differences = _differences(sheet, conversations, answers)
    suggested: dict[object, list[Answer]] = {}
    for answer in relevant_answers(sheet, answers.values()):
        for suggestion in answer.suggestions.all():
            if suggestion.taken is None:
                suggested.setdefault(suggestion.conversation_id, []).append(answer)
    return [
        _interview(
            conversation,
            [differences[key] for key in differences if key[0] == conversation.pk],
            suggested.get(conversation.pk, []),
        )
        for conversation in reversed(conversations)
    ]


def _differences(
    sheet: Sheet, conversations: list[Conversation], answers: dict[int, Answer]
) -> dict[tuple[object, int], Difference]:
    """By conversation and answer, in the order of the questionnaire. What a person wrote belongs
    to the latest interview before it."""
    begun = [conversation.created_at for conversation in conversations]
    known = dict.fromkeys(answers, Known())
    found: dict[tuple[object, int], Difference] = {}
    changes = AnswerChange.objects.filter(answer__in=answers.keys()).defer("evidence")
    for change in changes.order_by("pk"):
        now = Known(change.state, change.value)
        place: object = change.conversation_id
        if place is None and conversations:
            place = conversations[max(0, bisect_right(begun, change.made_at) - 1)].pk
        key = (place, change.answer_id)
        before = found[key].before if key in found else known[change.answer_id]
        found[key] = Difference(answers[change.answer_id], before, now)
        known[change.answer_id] = now
    order = {pk: place for place, pk in enumerate(answers)}
    return {key: found[key] for key in sorted(found, key=lambda key: order[key[1]])}


def _interview(
    conversation: Conversation, differences: list[Difference], suggested: list[Answer]
) -> Interview:
    real = [d for d in differences if d.before != d.after]
    return Interview(
        conversation=conversation,
        new=tuple(d for d in real if d.after.is_settled and not d.before.is_settled),
        changed=tuple(d for d in real if d.after.is_settled and d.before.is_settled),
        gone=tuple(d for d in real if d.before.is_settled and not d.after.is_settled),
        suggested=tuple(suggested),
    )
