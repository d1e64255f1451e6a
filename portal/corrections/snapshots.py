"""Turns and speakers as plain values, as an `Edit` keeps them: before a change and after it.

``{"turns": [{"id", "position", "version", "speaker", "start", "end", "text", "words"}],
"speakers": [{"id", "label", "role", "name", "edited_by"}]}``, the turns in their order. A row that
is in one of the two snapshots alone was made, or removed, by the change.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portal.conversations.models import Speaker, Transcript, Turn

Snapshot = dict[str, list[dict[str, Any]]]

TURN_FIELDS = ("start", "end", "text", "words")
SPEAKER_FIELDS = ("label", "role", "name")


def take(*, turns: Iterable[Turn] = (), speakers: Iterable[Speaker] = ()) -> Snapshot:
    return {
        "turns": [
            {
                "id": turn.pk,
                "position": turn.position,
                "version": turn.version,
                "speaker": turn.speaker_id,
                **{name: getattr(turn, name) for name in TURN_FIELDS},
            }
            for turn in turns
        ],
        "speakers": [
            {
                "id": speaker.pk,
                "edited_by": speaker.edited_by_id,
                **{name: getattr(speaker, name) for name in SPEAKER_FIELDS},
            }
            for speaker in speakers
        ],
    }


def ids(snapshot: Snapshot, kind: str) -> list[int]:
    """``kind``: turns or speakers."""
    return [row["id"] for row in snapshot[kind]]


def stands(snapshot: Snapshot, transcript: Transcript) -> bool:
    """Whether all of it is in the transcript as it was taken; where it stands among other turns,
    how often it was changed and by whom the last time is no matter."""
    turns = transcript.turns.in_bulk(ids(snapshot, "turns"))
    speakers = transcript.speakers.in_bulk(ids(snapshot, "speakers"))
    now = take(
        turns=[turns[pk] for pk in ids(snapshot, "turns") if pk in turns],
        speakers=[speakers[pk] for pk in ids(snapshot, "speakers") if pk in speakers],
    )
    return _content(now) == _content(snapshot)


def _content(snapshot: Snapshot) -> Snapshot:
    aside = {"position", "version", "edited_by"}
    return {
        kind: [{name: row[name] for name in row if name not in aside} for row in rows]
        for kind, rows in snapshot.items()
    }
