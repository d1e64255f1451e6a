"""Writes of transcripts by people: what was said, where a turn ends, and who says it.

Whoever changes something says which version of it they saw. If it is another one by now, nothing
is written and `Changed` says who was there first. Each change leaves an `Edit` with what was
there before, and what rests on the words (answers, moments to review) follows them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from portal.accounts.models import Employee
from portal.assessments import proofs
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Speaker, Transcript, Turn
from portal.conversations.refusals import check_consent
from portal.conversations.steps import OPEN, StepName
from portal.corrections import alignment, flags, queries, snapshots
from portal.corrections.alignment import Stretch
from portal.corrections.errors import Changed
from portal.corrections.models import Edit, Flag
from portal.participants import services as participants

MAX_LENGTH = 20_000
"""Characters of a turn: an hour of one voice without a pause."""

MAKING = (StepName.TRANSCRIBE, StepName.ATTRIBUTE, StepName.REVIEW)
"""The steps that write turns, or what hangs on them."""


@transaction.atomic
def change_text(
    *, conversation: Conversation, employee: Employee, turn: int, seen: int, text: str
) -> Edit | None:
    """Give the turn with id ``turn``, seen at version ``seen``, another text; an empty one takes
    the turn away. None when it is that text already, whatever was seen: the answer to an earlier
    try may have been lost. Raises Refused, Changed."""
    transcript = begin(conversation)
    text = alignment.clean(text)
    if transcript.turns.filter(pk=turn, text=text).exists():
        return None
    found = _as_seen(transcript, turn, seen, employee)
    if len(text) > MAX_LENGTH:
        raise Refused(
            "too_long",
            _("El texto es demasiado largo para una sola intervención. Divídala en varias."),
            status=422,
        )
    before = snapshots.take(turns=[found])
    if not text:
        return _take_away(transcript, employee, found, before)
    _rewrite(found, alignment.correct(found, text))
    edit = keep(transcript, employee, Edit.Kind.TEXT, before, written=[found])
    flags.clear_for(turn=found, employee=employee)
    return edit


@transaction.atomic
def split_turn(
    *,
    conversation: Conversation,
    employee: Employee,
    turn: int,
    seen: int,
    at: int,
    speaker: int | None = None,
) -> Edit:
    """Divide a turn at the boundary between words nearest to character ``at`` of its text.

    ``speaker``: id of who says the second part; None for who says the first. Raises Refused,
    Changed.
    """
    transcript = begin(conversation)
    found = _as_seen(transcript, turn, seen, employee)
    says = found.speaker if speaker is None else speaker_of(transcript, speaker)
    before = snapshots.take(turns=[found])
    try:
        first, second = alignment.split(found, at)
    except ValueError:
        raise Refused(
            "nothing_to_split",
            _("Ponga el cursor entre dos palabras: tiene que quedar texto a ambos lados."),
            status=422,
        ) from None
    _rewrite(found, first)
    rest = Turn(transcript=transcript, speaker=says)
    _fill(rest, second)
    made = {found.position + 1: rest}
    return keep(transcript, employee, Edit.Kind.SPLIT, before, written=[found], made=made)


@transaction.atomic
def merge_turns(
    *,
    conversation: Conversation,
    employee: Employee,
    turn: int,
    seen: int,
    following: int,
    following_seen: int,
) -> Edit:
    """Join a turn with the one that follows it, whoever says that one. Raises Refused, Changed."""
    transcript = begin(conversation)
    first = _as_seen(transcript, turn, seen, employee)
    second = _as_seen(transcript, following, following_seen, employee)
    if second.position != first.position + 1:
        raise _changed(transcript.conversation, turn, employee)
    before = snapshots.take(turns=[first, second])
    joined = alignment.merge(first, second)
    if len(joined.text) > MAX_LENGTH:
        raise Refused(
            "too_long",
            _("Juntas serían demasiado largas para una sola intervención. Siguen separadas."),
            status=422,
        )
    _rewrite(first, joined)
    return keep(transcript, employee, Edit.Kind.MERGE, before, written=[first], removed=[second])


@transaction.atomic
def move_turn(
    *, conversation: Conversation, employee: Employee, turn: int, seen: int, speaker: int
) -> Edit | None:
    """Say that somebody else speaks in a turn. None when it is them already.

    Raises Refused, Changed.
    """
    transcript = begin(conversation)
    found = _as_seen(transcript, turn, seen, employee)
    says = speaker_of(transcript, speaker)
    if found.speaker_id == says.pk:
        return None
    before = snapshots.take(turns=[found])
    found.speaker = says
    found.version += 1
    return keep(transcript, employee, Edit.Kind.MOVE, before, written=[found])


def begin(conversation: Conversation) -> Transcript:
    """The transcript, ours until the transaction ends. Raises Refused where it may not be
    changed."""
    transcripts = Transcript.objects.select_related("conversation__participant")
    transcript = (
        transcripts.select_for_update(of=("self",)).filter(conversation=conversation).first()
    )
    if transcript is None:
        raise Refused("no_transcript", _("Todavía no hay transcripción que corregir."), status=409)
    check_consent(transcript.conversation.consent, transcript.conversation.participant)
    if conversation.steps.filter(name__in=MAKING, state__in=OPEN).exists():
        raise Refused(
            "transcribing",
            _(
                "La transcripción definitiva todavía se está haciendo y sustituirá a esta. Espere "
                "a que termine para corregirla."
            ),
            status=409,
        )
    return transcript


def speaker_of(transcript: Transcript, pk: int) -> Speaker:
    """Raises Refused for a voice that is not there, or is no more."""
    speaker = transcript.speakers.filter(pk=pk).first()
    if speaker is None:
        raise Refused(
            "no_speaker",
            _("Esa voz ya no está en la conversación. Vuelva a elegir quién habla."),
            status=409,
        )
    return speaker


def keep(
    transcript: Transcript,
    employee: Employee,
    kind: Edit.Kind,
    before: snapshots.Snapshot,
    *,
    written: Sequence[Turn] = (),
    made: Mapping[int, Turn] | None = None,
    removed: Collection[Turn] = (),
    speakers: Sequence[Speaker] = (),
    undoes: Edit | None = None,
) -> Edit:
    """Save turns (as `assessments.proofs.rewrite_turns` takes them) and the change itself, and
    hold answers against what is said now, and by whom. ``speakers`` are saved already. Part of
    the caller's transaction."""
    made = made or {}
    moments = list(
        Flag.objects.filter(turn__in=[*written, *removed]).values_list("pk", "start")
        if made or removed
        else ()
    )
    proofs.rewrite_turns(transcript=transcript, written=written, made=made, removed=removed)
    left = sorted([*written, *made.values()], key=lambda turn: turn.position)
    _place(moments, left)
    participants.touch(transcript.conversation.participant)
    return Edit.objects.create(
        conversation=transcript.conversation,
        employee=employee,
        kind=kind,
        before=before,
        after=snapshots.take(turns=left, speakers=speakers),
        undoes=undoes,
    )


def _place(moments: Sequence[tuple[int, float]], turns: Sequence[Turn]) -> None:
    """Moments to review hang on the turn that is said then."""
    for pk, start in moments:
        begun = [turn for turn in turns if turn.start <= start] or turns[:1]
        Flag.objects.filter(pk=pk).update(turn=begun[-1] if begun else None)


def _as_seen(transcript: Transcript, pk: int, seen: int, employee: Employee) -> Turn:
    turn = transcript.turns.select_related("speaker").filter(pk=pk).first()
    if turn is None or turn.version != seen:
        raise _changed(transcript.conversation, pk, employee)
    return turn


def _changed(conversation: Conversation, pk: int, employee: Employee) -> Refused:
    """What to say of a turn that is not as it was seen: who changed it, and where its words are."""
    latest = queries.of_turn(conversation, pk).first()
    now = queries.where_now(conversation, pk)
    if latest is None and now is None:
        return Refused(
            "gone",
            _("Esta intervención ya no está. Vuelva a cargar la página para ver cómo está ahora."),
            status=410,
        )
    if latest is None:
        return Changed(_("Esta intervención ha cambiado mientras usted la corregía."), turn=now)
    message = _("%(name)s ha cambiado esta intervención mientras usted la corregía.")
    if latest.employee_id == employee.pk:
        message = _("Usted ha cambiado esta intervención desde otra ventana.")
    name = latest.employee.name
    return Changed(message % {"name": name}, by=name, turn=now)


def _take_away(
    transcript: Transcript, employee: Employee, turn: Turn, before: snapshots.Snapshot
) -> Edit:
    if transcript.turns.count() == 1:
        raise Refused(
            "only_turn", _("Es la única intervención: no se puede dejar sin texto."), status=422
        )
    turn.text = ""
    flags.clear_for(turn=turn, employee=employee)
    return keep(transcript, employee, Edit.Kind.TEXT, before, removed=[turn])


def _rewrite(turn: Turn, stretch: Stretch) -> None:
    _fill(turn, stretch)
    turn.version += 1


def _fill(turn: Turn, stretch: Stretch) -> None:
    turn.start, turn.end = stretch.start, stretch.end
    turn.text, turn.words = stretch.text, stretch.words
