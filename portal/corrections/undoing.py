"""Taking a correction back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from portal.accounts.models import Employee
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Speaker, Transcript, Turn
from portal.corrections import queries, snapshots
from portal.corrections.editing import begin, keep
from portal.corrections.models import Edit


@transaction.atomic
def undo(*, conversation: Conversation, employee: Employee, edit: int) -> Edit:
    """Put back what was there before the edit with that id, as long as it stands as it was left.

    Raises Refused: ``undone`` already, ``changed_since`` by something later.
    """
    transcript = begin(conversation)
    found = queries.standing(conversation.edits.all()).filter(pk=edit).first()
    if found is None:
        raise Refused("undone", _("Ese cambio ya está deshecho."), status=409)
    if not snapshots.stands(found.after, transcript):
        raise _changed_since()
    now = transcript.turns.select_related("speaker").in_bulk(snapshots.ids(found.after, "turns"))
    turns = {pk: now[pk] for pk in snapshots.ids(found.after, "turns")}
    voices = transcript.speakers.in_bulk(snapshots.ids(found.after, "speakers"))
    before = snapshots.take(turns=turns.values(), speakers=voices.values())
    speakers = _restore_speakers(found, voices)
    known = transcript.speakers.in_bulk()

    written: list[Turn] = []
    made: dict[int, Turn] = {}
    position = None
    for row in found.before["turns"]:
        if row["speaker"] not in known:
            raise _changed_since()
        turn = turns.pop(row["id"], None)
        if turn is not None:
            position = turn.position
            turn.version += 1
            written.append(turn)
        else:
            turn = Turn(pk=row["id"], transcript=transcript, version=row["version"] + 1)
            position = _place(transcript, row) if position is None else position + 1
            made[position] = turn
        turn.speaker = known[row["speaker"]]
        for name in snapshots.TURN_FIELDS:
            setattr(turn, name, row[name])
    return keep(
        transcript,
        employee,
        Edit.Kind.UNDO,
        before,
        written=written,
        made=made,
        removed=list(turns.values()),
        speakers=speakers,
        undoes=found,
    )


def _restore_speakers(edit: Edit, voices: dict[int, Speaker]) -> list[Speaker]:
    """Those of ``voices`` that were there before the edit, as they were; any other goes."""
    rows = {row["id"]: row for row in edit.before["speakers"]}
    left = []
    for speaker in voices.values():
        row = rows.get(speaker.pk)
        if row is None:
            if speaker.turns.exists():
                raise Refused(
                    "speaks",
                    _("Esa voz ya tiene intervenciones: déselas antes a otra y después quítela."),
                    status=409,
                )
            speaker.delete()
            continue
        for name in snapshots.SPEAKER_FIELDS:
            setattr(speaker, name, row[name])
        speaker.edited_by_id = row["edited_by"]
        speaker.save()
        left.append(speaker)
    return left


def _place(transcript: Transcript, row: Mapping[str, Any]) -> int:
    """The position of a turn that stands beside none of its own: by the time it begins, and among
    those that begin with it where it was."""
    first = transcript.turns.filter(start__lt=row["start"]).count()
    last = transcript.turns.filter(start__lte=row["start"]).count()
    return min(max(int(row["position"]), first), last)


def _changed_since() -> Refused:
    return Refused(
        "changed_since",
        _("Después ha habido otro cambio en el mismo sitio. Deshaga antes el más reciente."),
        status=409,
    )
