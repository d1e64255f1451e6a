from __future__ import annotations

from conftest import Cast
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import services as assessments
from portal.assessments.models import Question
from portal.conversations import results
from portal.conversations.models import Conversation, Turn, Upload
from portal.inquiries.models import Inquiry
from portal.live.models import LiveRecording
from portal.participants.models import Consent, Participant
from portal.speech.engines import base as speech


def test_a_person_can_be_deleted_with_all_that_hangs_on_them(
    cast: Cast, participant: Participant, consent: Consent
) -> None:
    made = {
        "participant": participant,
        "consent": consent,
        "created_by": cast.owner,
        "engine": "local",
    }
    conversation = Conversation.objects.create(**made)
    Upload.objects.create(**made, filename="a.wav", size=1, conversation=conversation)
    LiveRecording.objects.create(**made)
    stored = LiveRecording.objects.create(**made, conversation=conversation, state="stored")
    stored.ticks.create(question=Question.objects.first(), origin="person", edited_by=cast.owner)
    turn = speech.Turn("S1", 0.0, 1.0, "Soy de Colombia.")
    results.save_transcript(
        conversation=conversation,
        transcript=speech.Transcript((turn,), "es", 1.0, "local", "base"),
    )
    finding = Finding("nacionalidad", "answered", "De Colombia", (Evidence(0, "Soy de Colombia."),))
    assessments.record_findings(
        conversation=conversation,
        findings=[finding],
        turns=list(Turn.objects.all()),
        engine="extractive",
        model="x",
    )
    inquiry = Inquiry.objects.create(
        participant=participant, question="¿De dónde es?", asked_by=cast.owner
    )
    inquiry.replies.create(conversation=conversation, answer="De Colombia")
    participant.delete()
    assert not Inquiry.objects.exists()
    assert not Turn.objects.exists()
    assert not Consent.objects.exists()
