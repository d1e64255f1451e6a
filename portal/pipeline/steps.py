"""From a recording to a ficha: the steps, in order, and what each needs.

Each step reads what earlier ones left in the database, saves its result through a service in one
transaction, and may be run again: a second run replaces what the first one left. Steps know
nothing of attempts, states and jobs; that is pipeline/run.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from portal.accounts.engines import LOCAL, is_outside
from portal.assessments import proofs
from portal.assessments import services as assessments
from portal.conversations import playback, results
from portal.conversations.models import Conversation, Recording, Turn, VoiceActivity
from portal.conversations.steps import StepName
from portal.conversations.words import as_spoken
from portal.corrections import flags, redaction
from portal.corrections import queries as corrections
from portal.engine import EngineError
from portal.live import queries as recordings
from portal.live import services as live
from portal.notifications import services as notifications
from portal.participants.leaving import may_leave
from portal.pipeline import engines
from portal.speech import audio as speech_audio
from portal.speech import playback as speech_playback
from portal.speech import quality, vad
from portal.speech.engines import base as speech
from portal.speech.roles import assign_roles
from portal.usage import analysing
from portal.usage import queries as usage
from portal.usage.services import charging

Progress = Callable[[float], None]
"""Takes a share from 0 to 1, as often as one likes."""


@dataclass(frozen=True, slots=True)
class Step:
    """``needs``: the steps whose results it reads; without them it is not tried. ``run`` may give a
    sentence for people about how it was done, where that was not as usual. ``given_up``: clears
    away what attempts left elsewhere, when there will be no other; raises nothing."""

    name: StepName
    run: Callable[[Conversation, Progress], str | None]
    needs: tuple[StepName, ...] = ()
    given_up: Callable[[Conversation], None] = lambda conversation: None


def probe(conversation: Conversation, progress: Progress) -> None:
    """Is this a recording that can be heard? Found out in a process of its own."""
    with _file(conversation.recording) as path:
        info = speech_audio.probe_isolated(path)
    results.save_probe(conversation=conversation, info=info)


def transcribe(conversation: Conversation, progress: Progress) -> str:
    if corrections.is_edited(conversation):
        return ""  # of a live transcript, while this step stood still: no machine undoes that
    name, because = conversation.engine, ""
    if is_outside(name):
        # It was allowed when this was chosen; whoever changes their mind loses no transcript.
        leave = may_leave(conversation.participant, consent=conversation.consent)
        because = leave.reason or usage.why_not_outside(conversation.participant.team)
        if because:
            forget_outside(conversation)
            name = LOCAL
    engine = engines.transcription(name)
    options = speech.Options(
        language=conversation.language or None,
        speakers=conversation.speakers,
        voices=recordings.voices(conversation),
        reference=str(conversation.pk),
    )
    with (
        _file(conversation.recording) as path,
        charging(team=conversation.participant.team, conversation=conversation),
    ):
        transcript = engine.transcribe(speech.Audio(path), options=options, progress=progress)
    transcript = redaction.struck(conversation, transcript)
    # Of a live recording there is one already, with answers that rest on it.
    proofs.replace_transcript(conversation=conversation, transcript=transcript)
    results.save_engine(conversation=conversation, engine=name)
    return because


def forget_outside(conversation: Conversation) -> None:
    """What the engine that was chosen still has of it: jobs of attempts that did not come back."""
    # Where it cannot be told now, the rule of the bucket deletes what lies there (docs/engines.md).
    with suppress(EngineError):
        engine = engines.transcription(conversation.engine)
        if isinstance(engine, speech.LeavesWork):
            engine.forget(str(conversation.pk))


def attribute(conversation: Conversation, progress: Progress) -> None:
    """Which voice is the employee's and which the participant's: by samples of theirs where there
    were any, and else by how they talk."""
    said = [as_spoken(turn) for turn in _turns(conversation)]
    results.save_roles(conversation=conversation, roles=assign_roles(said).roles)
    proofs.prove_again(conversation=conversation)
    live.forget_voices(conversation=conversation)


def assess(conversation: Conversation, progress: Progress) -> str:
    turns = _turns(conversation)
    sheet = assessments.sheet_for(conversation.participant)
    spoken = assessments.turns_for(turns)
    questions = assessments.questions_for(sheet)
    known = sorted(recordings.unticked(conversation))
    done = _analysis(conversation).do(
        lambda engine: engine.assess(spoken, questions, known=known), conversation=conversation
    )
    assessments.record_findings(
        conversation=conversation,
        findings=done.value,
        turns=turns,
        engine=done.engine,
        model=done.model,
    )
    live.keep_hand_ticks(conversation=conversation)
    return done.because


def describe(conversation: Conversation, progress: Progress) -> str:
    """After `assess`: a language model says both at once, and here it only repeats it."""
    spoken = assessments.turns_for(_turns(conversation))
    done = _analysis(conversation).do(
        lambda engine: engine.describe(spoken), conversation=conversation
    )
    results.save_description(
        conversation=conversation, title=done.value.title, description=done.value.summary
    )
    return done.because


def review(conversation: Conversation, progress: Progress) -> None:
    """What somebody should listen to: doubtful words, and where text and voice do not agree."""
    turns = _turns(conversation)
    found = quality.moments(
        [as_spoken(turn) for turn in turns],
        _voice(conversation, progress),
        language=conversation.transcript.language,
        pauses=[gap.at for gap in conversation.gaps.all()],
    )
    found = redaction.outside(conversation, found)
    flags.save(conversation=conversation, moments=found, turns=turns)


def notify(conversation: Conversation, progress: Progress) -> None:
    notifications.notify(conversation)


def prepare_playback(conversation: Conversation, progress: Progress) -> None:
    draft = playback.draft_path(conversation)
    seconds = conversation.duration or speech_audio.MAX_SECONDS
    with _file(conversation.recording) as path:
        sound = speech_playback.make(path, draft, seconds=seconds, progress=progress)
    playback.save(conversation=conversation, draft=draft, sound=sound)


WORK = (
    Step(StepName.PROBE, probe),
    Step(StepName.TRANSCRIBE, transcribe, needs=(StepName.PROBE,), given_up=forget_outside),
    Step(StepName.ATTRIBUTE, attribute, needs=(StepName.TRANSCRIBE,)),
    Step(StepName.ASSESS, assess, needs=(StepName.TRANSCRIBE,)),
    Step(StepName.DESCRIBE, describe, needs=(StepName.TRANSCRIBE,)),
    # After what people wait for: with some engines it listens to the whole recording again.
    Step(StepName.REVIEW, review, needs=(StepName.TRANSCRIBE,)),
)
LAST = Step(StepName.NOTIFY, notify)
"""Runs whatever came of the others, once none of them is open."""

AFTERWARDS = Step(StepName.PLAYBACK, prepare_playback, needs=(StepName.PROBE,))
"""When everybody has what they waited for: it must not delay the transcript."""


def _analysis(conversation: Conversation) -> analysing.Analysis:
    return analysing.for_participant(conversation.participant, consent=conversation.consent)


def _turns(conversation: Conversation) -> list[Turn]:
    return list(
        Turn.objects.filter(transcript__conversation=conversation).select_related("speaker")
    )


def _voice(conversation: Conversation, progress: Progress) -> NDArray[np.float32]:
    """Where somebody is heard: as the engine found it, or listened for now."""
    kept = VoiceActivity.objects.filter(conversation=conversation).first()
    if kept is not None:
        return vad.unpacked(kept.probability)
    with _file(conversation.recording) as path:
        blocks = _told(speech_audio.decode(path), conversation.duration or 0.0, progress)
        return vad.activity(blocks)


def _told(
    blocks: Iterable[speech_audio.Samples], seconds: float, progress: Progress
) -> Iterator[speech_audio.Samples]:
    """The blocks as they are, and how far of ``seconds`` they have come."""
    samples = 0
    for block in blocks:
        yield block
        samples += block.shape[-1]
        progress(min(1.0, samples / speech_audio.SAMPLE_RATE / max(1.0, seconds)))


def _file(recording: Recording) -> AbstractContextManager[Path]:
    """The recording on this machine, with nothing to be heard of what was struck out of it."""
    return redaction.sound(recording.conversation)
