"""What is played of a conversation: its file and row, replaced together; and where it comes from.

Until there is one, or when it could not be made, the recording is played as it was received.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models.fields.files import FieldFile
from django.utils.translation import gettext as _

from portal.conversations import filing, partfiles
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Playback, playback_path
from portal.speech import playback as speech


def draft_path(conversation: Conversation) -> Path:
    """Where it is made: always at the same place, so that a killed worker leaves no litter."""
    path = partfiles.path_of(conversation.pk).with_suffix(speech.SUFFIX)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def save(*, conversation: Conversation, draft: Path, sound: speech.Sound) -> Playback:
    """Keep ``draft``, which is moved, in place of the one before; that file goes at the commit."""
    with draft.open("r+b") as file:
        os.fsync(file.fileno())
    size, sha256 = draft.stat().st_size, partfiles.sha256(draft)
    # The same sound has the same name: a second try finds what a killed one left.
    name = playback_path(Playback(conversation=conversation), f"{sha256[:32]}{speech.SUFFIX}")
    try:
        with transaction.atomic():
            before = Playback.objects.select_for_update().filter(conversation=conversation).first()
            if before is not None and before.file.name != name:
                old = str(before.file.name)
                transaction.on_commit(lambda: default_storage.delete(old))
            name = filing.put(draft, name)
            transaction.on_commit(lambda: draft.unlink(missing_ok=True))
            playback, _created = Playback.objects.update_or_create(
                conversation=conversation,
                defaults={
                    "file": name,
                    "size": size,
                    "sha256": sha256,
                    "duration": sound.duration,
                    "peaks": list(sound.peaks),
                },
            )
    except Exception:
        if not Playback.objects.filter(file=name).exists():
            default_storage.delete(name)
        raise
    return playback


def played(conversation: Conversation) -> tuple[FieldFile, str]:
    """The file that is played and its hash. Raises Recording.DoesNotExist, and Refused while the
    recording still has the sound of something that was struck out and nothing else is made yet."""
    kept = getattr(conversation, "playback", None)
    if kept is None and conversation.redactions.filter(finished_at=None).exists():
        raise Refused(
            "being_made",
            _("El audio sin lo tachado se está preparando. Vuelva a intentarlo en unos minutos."),
            status=503,
        )
    kept = kept or conversation.recording
    return kept.file, kept.sha256
