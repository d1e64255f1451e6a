"""What happens when a redaction can no longer be undone.

First the words that an undo would have put back are erased. Then silence is written where the
sound was: into a new file beside the recording's, which takes its place in the database once it
is on disk and has been listened to; only then the old one is removed. Killed anywhere, the next
call finds the old one or the new one, and goes on.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from portal.conversations import filing, partfiles, scratch
from portal.conversations.models import Conversation, Playback, ProcessingStep, Recording
from portal.corrections.models import Redaction
from portal.corrections.played import workshop
from portal.faults import kind_and_place
from portal.speech import audio
from portal.speech.silence import silence

logger = logging.getLogger(__name__)

REMOVE = "remove"
"""In `Redaction.kept`: names of files that the database has let go, to be removed."""

LEFT_FOR = timedelta(hours=1)
"""After so long, a file that nothing in the database names is what a crash left."""

EDGE = 0.02
"""Seconds at the edges of a stretch in which resampling lets neighbours be heard."""


FAINTEST = 0.001
"""Of full scale: silence of A-law is not zero."""

SAME_LENGTH = 0.1
"""Seconds by which two ways of counting one recording may differ."""


class NotSilent(Exception):
    """A recording that was to be silent in a stretch is not, or is of another length."""


class _NotNow(Exception):
    """Somebody else has the conversation: the next call is in time."""


def finish_due() -> int:
    """Make final every redaction whose time is over; tells of how many conversations. What cannot
    be done now is tried again at the next call."""
    due = Redaction.objects.filter(finished_at=None, final_at__lte=timezone.now())
    done = 0
    for conversation in due.order_by().values_list("conversation", flat=True).distinct():
        try:
            _finish(conversation)
            done += 1
        except _NotNow:
            pass
        except Exception as error:
            # The words are gone by now; the sound is not played. The others go on.
            logger.error("%s: redaction: %s", conversation, kind_and_place(error))
    return done


def _finish(conversation: UUID) -> None:
    with transaction.atomic():
        for redaction in _due(conversation):
            if REMOVE not in redaction.kept:
                redaction.kept = {}
                redaction.save(update_fields=["kept"])
    with transaction.atomic():
        still = [redaction for redaction in _due(conversation) if REMOVE not in redaction.kept]
        if still:
            _silence_recording(conversation, still)
    with transaction.atomic():
        for redaction in _due(conversation):
            if REMOVE in redaction.kept:
                for name in redaction.kept[REMOVE]:
                    default_storage.delete(name)
                redaction.kept, redaction.finished_at = {}, timezone.now()
                redaction.save(update_fields=["kept", "finished_at"])


def _due(conversation: UUID) -> list[Redaction]:
    """Ours until the transaction ends. Raises _NotNow when another worker is at one of them."""
    rows = Redaction.objects.filter(
        conversation=conversation, finished_at=None, final_at__lte=timezone.now()
    )
    locked = list(rows.select_for_update(skip_locked=True, of=("self",)))
    if len(locked) < rows.count():
        raise _NotNow
    return locked


def _silence_recording(pk: UUID, due: Sequence[Redaction]) -> None:
    """Part of the caller's transaction, which holds what is ``due``."""
    conversation = Conversation.objects.get(pk=pk)
    recording = Recording.objects.filter(conversation=conversation).first()
    removed: list[str] = []
    if recording is not None:
        _check_idle(conversation)
        old = str(recording.file.name)
        with filing.at_hand(old) as path:
            _check_room(recording, conversation, path)
            target = workshop() / f"{pk}-original"
            made = silence(path, target, [(r.start, r.end) for r in due])
        _listen(made.path, conversation, due)
        recording.size, recording.sha256 = made.path.stat().st_size, partfiles.sha256(made.path)
        recording.codec, recording.sample_rate = made.codec, made.sample_rate
        recording.channels = made.channels
        # A name that is always the same, so that a second try takes the place of what the first
        # one left.
        name = f"{pk}/original-{max(r.pk for r in due)}{made.path.suffix}"
        Conversation.objects.select_for_update(no_key=True).get(pk=pk)
        _check_idle(conversation)
        recording.file.name = filing.put(made.path, name)
        recording.save()
        removed.append(old)
    for redaction in due:
        redaction.kept, removed = {REMOVE: removed}, []
        redaction.save(update_fields=["kept"])


def _check_idle(conversation: Conversation) -> None:
    """No step reads the recording now, nor begins to until the transaction ends."""
    states = conversation.steps.select_for_update().values_list("state", flat=True)
    if ProcessingStep.State.RUNNING in list(states):
        raise _NotNow


def _check_room(recording: Recording, conversation: Conversation, path: Path) -> None:
    """For the largest that the new file can become."""
    samples = (conversation.duration or 0) * (recording.sample_rate or 0)
    largest = max(path.stat().st_size, samples * 2 * (recording.channels or 1))
    if largest + partfiles.KEEP_FREE > partfiles.free_bytes():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _listen(path: Path, conversation: Conversation, due: Sequence[Redaction]) -> None:
    """Nothing takes the place of a recording before it was heard: of its length, and silent where
    it has to be. Raises NotSilent."""
    done = 0
    for block in audio.decode(path):
        for redaction in due:
            first = round((redaction.start + EDGE) * audio.SAMPLE_RATE) - done
            after = round((redaction.end - EDGE) * audio.SAMPLE_RATE) - done
            part = block[:, max(first, 0) : max(after, 0)]
            if part.size and float(np.abs(part).max()) > FAINTEST:
                raise NotSilent
        done += block.shape[-1]
    length = conversation.duration
    if length is not None and abs(done / audio.SAMPLE_RATE - length) > SAME_LENGTH:
        raise NotSilent


def tidy() -> None:
    """Remove what a crash left: files half made, and those that no row names any more."""
    scratch.tidy()
    before = timezone.now() - LEFT_FOR
    for path in workshop().iterdir():
        if path.stat().st_mtime < before.timestamp():
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    window = timedelta(minutes=settings.ENV.redaction_undo_minutes)
    recent = Redaction.objects.filter(final_at__gt=before - window - LEFT_FOR)
    for pk in recent.order_by().values_list("conversation", flat=True).distinct():
        known = {
            *Recording.objects.filter(conversation=pk).values_list("file", flat=True),
            *Playback.objects.filter(conversation=pk).values_list("file", flat=True),
        }
        try:
            _folders, files = default_storage.listdir(str(pk))
        except FileNotFoundError:
            continue
        for name in {f"{pk}/{file}" for file in files} - known:
            if default_storage.get_modified_time(name) < before:
                default_storage.delete(name)
