"""What is played of a conversation in which a stretch is struck.

A `Playback` gets silence in the stretch at once. Without one nothing is played until the pipeline
has made it, of a sound in which the stretch is silent (`redaction.sound`): the recording itself
is not heard while it still has what is struck (`conversations.audio_view`).
"""

from __future__ import annotations

import math
import uuid
from functools import partial
from pathlib import Path, PurePath

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction

from portal.conversations import filing, partfiles, retrying
from portal.conversations.models import Conversation, Playback, playback_path
from portal.conversations.steps import StepName
from portal.corrections.striking import Stretch
from portal.speech.packets import silence_packets


def workshop() -> Path:
    """The folder for files that are being made, beside where recordings are kept."""
    folder = Path(settings.MEDIA_ROOT) / "redactions"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def silence(conversation: Conversation, stretch: Stretch) -> None:
    """Play the conversation with silence in the stretch. Part of the caller's transaction, which
    holds the conversation."""
    playback = Playback.objects.filter(conversation=conversation).first()
    if playback is None:
        make_again(conversation)
        return
    old = str(playback.file.name)
    part = workshop() / f"{uuid.uuid4().hex}{PurePath(old).suffix}"
    try:
        with filing.at_hand(old) as path:
            silence_packets(path, part, [(stretch.start, stretch.end)])
        playback.size, playback.sha256 = part.stat().st_size, partfiles.sha256(part)
        playback.file.name = filing.put(part, playback_path(playback, part.name))
    finally:
        part.unlink(missing_ok=True)
    playback.peaks = _flat(playback.peaks, playback.duration, stretch)
    playback.save()
    transaction.on_commit(partial(default_storage.delete, old))


def make_again(conversation: Conversation) -> None:
    """Have the pipeline make what is played, in place of what there is. Part of the caller's
    transaction, which holds the conversation."""
    for playback in Playback.objects.filter(conversation=conversation):
        name = str(playback.file.name)
        playback.delete()
        transaction.on_commit(partial(default_storage.delete, name))
    step = conversation.steps.filter(name=StepName.PLAYBACK)
    if step.exists():
        retrying.repeat(conversation=conversation, steps=step)


def _flat(peaks: list[int], duration: float, stretch: Stretch) -> list[int]:
    """Peaks without those that say something of the stretch."""
    each = duration / len(peaks) if peaks else 1.0
    first, after = math.floor(stretch.start / each), math.ceil(stretch.end / each)
    return [0 if first <= n < after else peak for n, peak in enumerate(peaks)]
