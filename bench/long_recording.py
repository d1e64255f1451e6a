"""A conversation of some hours that is ready to be heard, put into the installation around it.

    python -m bench.long_recording HOURS

Runs beside a portal, with its environment. The demo's conversations, one after another, as the WAV
that a live recording makes; what is played is made of it by the pipeline's own step. Prints
{"cookies", "participant", "conversation", "prepare_s"}.
"""

from __future__ import annotations

import json
import sys
import time
import wave
from itertools import cycle
from pathlib import Path

from bench.installation import PROJECT
from bench.people import make_people  # sets Django up
from bench.recorder import pcm_of
from portal.conversations import filing, partfiles
from portal.conversations.models import Conversation, Recording, recording_path
from portal.participants.models import Participant
from portal.pipeline import steps
from portal.speech.audio import SAMPLE_RATE

TALKS = sorted((PROJECT / "demo" / "audio").glob("*.ogg"))


def write(path: Path, seconds: float) -> None:
    left = int(seconds * SAMPLE_RATE) * 2
    talks = cycle([pcm_of(talk) for talk in TALKS])
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        while left > 0:
            talk = next(talks)[:left]
            file.writeframes(talk)
            left -= len(talk)


def place(participant: Participant, seconds: float) -> Conversation:
    consent = participant.consents.get()
    conversation = Conversation.objects.create(
        participant=participant,
        consent=consent,
        created_by=consent.recorded_by,
        engine="local",
        status=Conversation.Status.READY,
        title="Conversación larga",
        duration=seconds,
    )
    part = partfiles.path_of(conversation.pk)
    partfiles.create(part)
    write(part, seconds)
    recording = Recording(
        conversation=conversation, original_name="larga.wav", size=part.stat().st_size
    )
    recording.sha256 = partfiles.sha256(part)
    recording.file.name = filing.put(part, recording_path(recording, "larga.wav"))
    recording.save()
    return conversation


def main(hours: float) -> None:
    [who] = make_people(1)
    conversation = place(Participant.objects.get(pk=who["participant"]), hours * 3600)
    started = time.perf_counter()
    steps.prepare_playback(conversation, lambda share: None)
    who |= {"conversation": str(conversation.pk), "prepare_s": time.perf_counter() - started}
    json.dump(who, sys.stdout)


if __name__ == "__main__":
    main(float(sys.argv[1]))
