"""Striking and giving back, in the database and in what is played."""

from __future__ import annotations

import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.forms.models import model_to_dict
from django.utils import timezone

from conftest import Cast
from portal.assessments import proofs
from portal.assessments import services as assessments
from portal.assessments.models import Answer, AnswerChange, Evidence, Sheet
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Playback, ProcessingStep, Turn
from portal.corrections import editing, queries, redaction, undoing
from portal.corrections.errors import Changed
from portal.corrections.models import Edit, Flag, Redaction
from portal.corrections.striking import BLOCK
from portal.corrections.tests.scene import (
    FIRST,
    HIGH,
    LAST,
    LINES,
    LOW,
    SECRETS,
    Talk,
    files,
    files_that_sound,
    make_talk,
    rows_with,
    share_of,
    sound,
)
from portal.participants.models import Consent
from portal.speech.engines import base as speech
from portal.speech.quality import Moment
from portal.speech.tests.conftest import write_audio


def strike(
    talk: Talk, cast: Cast, start: float = FIRST, end: float = LAST, **more: Any
) -> Redaction:
    return redaction.strike(
        conversation=talk.conversation, employee=cast.owner, start=start, end=end, **more
    )


def undo(found: Redaction, cast: Cast) -> None:
    redaction.undo(redaction=found, employee=cast.teammate)


def refused(code: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}$")


def everything() -> dict[str, Any]:
    """What a person can see of the talk, and what it rests on."""
    return {
        "turns": list(Turn.objects.values("pk", "text", "words", "start", "end")),
        "answers": [model_to_dict(a, exclude=["id"]) for a in Answer.objects.order_by("pk")],
        "evidence": list(
            Evidence.objects.order_by("answer", "position").values(
                "answer", "turn", "quote", "start", "end", "position"
            )
        ),
        "sheet": list(Sheet.objects.values("answered", "total")),
        "history": list(AnswerChange.objects.order_by("pk").values("pk", "value", "evidence")),
        "edits": list(Edit.objects.exclude(kind="redaction").values("pk", "before", "after")),
        "flags": list(Flag.objects.values("turn", "kind", "start", "end", "quote", "resolved_at")),
        "title": list(Conversation.objects.values("title", "description", "titled_by")),
    }


# What goes at once


def test_nothing_is_left_but_what_an_undo_needs(talk: Talk, cast: Cast) -> None:
    assert rows_with(SECRETS) >= {
        "conversations_turn.text",
        "conversations_turn.words",
        "conversations_conversation.title",
        "assessments_evidence.quote",
        "assessments_answer.value",
        "assessments_answerchange.value",
        "assessments_answerchange.evidence",
        "corrections_edit.before",
        "corrections_edit.after",
        "corrections_flag.quote",
    }
    strike(talk, cast)
    assert rows_with((*SECRETS, "wenceslava")) == {"corrections_redaction.kept"}
    assert talk.text == f"Sí, en la {BLOCK} desde marzo."


def test_the_ficha_loses_what_rested_on_it(talk: Talk, cast: Cast) -> None:
    strike(talk, cast)
    home, money, friends = map(talk.answer, ("empadronamiento", "ingresos", "redes_apoyo"))
    assert (home.state, home.value, home.origin) == ("unasked", "", "")
    assert (friends.state, friends.value) == ("unasked", "")
    assert money.state == "declined"
    assert [piece.quote for piece in Evidence.objects.all()] == ["prefiero no hablar"]
    assert Sheet.objects.get().answered == 0


def test_what_a_person_wrote_stays_until_they_say_so(talk: Talk, cast: Cast) -> None:
    for slug, value in (("redes_apoyo", "Su hermana Wenceslada"), ("empleo", "Zarzaparrilla")):
        assessments.edit_answer(answer=talk.answer(slug), employee=cast.owner, value=value)
    Conversation.objects.update(titled_by=cast.owner)
    strike(talk, cast, answers=[talk.answer("empleo").pk, talk.answer("ingresos").pk])
    assert talk.answer("redes_apoyo").value == "Su hermana Wenceslada"
    assert (talk.answer("empleo").state, talk.answer("empleo").value) == ("unasked", "")
    assert talk.answer("ingresos").state == "declined"
    assert Conversation.objects.get().title == "Vive en Zarzaparrilla"


def test_a_title_that_tells_of_it_is_found_anew(talk: Talk, cast: Cast) -> None:
    strike(talk, cast)
    conversation = Conversation.objects.get()
    assert (conversation.title, conversation.description) == ("", "")
    assert conversation.steps.get(name="describe").state == "waiting"
    assert conversation.steps.get(name="assess").state == "done"


def test_so_is_a_persons_when_they_say_so(talk: Talk, cast: Cast) -> None:
    Conversation.objects.update(titled_by=cast.owner)
    found = strike(talk, cast, description=True)
    conversation = Conversation.objects.get()
    assert (conversation.title, conversation.titled_by) == ("", None)
    undo(found, cast)
    conversation.refresh_from_db()
    assert (conversation.title, conversation.titled_by) == ("Vive en Zarzaparrilla", cast.owner)


def test_a_title_that_does_not_stays(talk: Talk, cast: Cast) -> None:
    Conversation.objects.update(title="Padrón y dinero", description="Vive desde marzo.")
    strike(talk, cast)
    assert Conversation.objects.get().title == "Padrón y dinero"
    assert not ProcessingStep.objects.filter(state="waiting").exists()


def test_of_title_and_description_only_what_tells_of_it_is_taken_at_once(
    talk: Talk, cast: Cast
) -> None:
    Conversation.objects.update(title="Padrón y dinero")
    strike(talk, cast)
    conversation = Conversation.objects.get()
    assert (conversation.title, conversation.description) == ("Padrón y dinero", "")


def test_other_people_and_other_talks_are_left_alone(
    talk: Talk, cast: Cast, consent: Consent, tmp_path: Path
) -> None:
    other = make_talk(cast, consent, write_audio(tmp_path / "other.wav", sound()), played=False)
    strike(talk, cast)
    assert other.text.count("Zarzaparrilla") == 1
    assert Flag.objects.filter(conversation=other.conversation).count() == 2


def test_who_edits_a_struck_turn_is_told_that_it_changed(talk: Talk, cast: Cast) -> None:
    strike(talk, cast)
    versions = Turn.objects.order_by("position").values_list("version", flat=True)
    assert list(versions) == [0, 1, 0, 0]


def test_what_is_played_is_silent_at_once(talk: Talk, cast: Cast, client: Any) -> None:
    before = Playback.objects.get()
    strike(talk, cast)
    after = Playback.objects.get()
    path = Path(after.file.path)
    assert (after.sha256, after.file.name) != (before.sha256, before.file.name)
    assert share_of(path, HIGH, FIRST, LAST) < 1e-4
    assert share_of(path, LOW, 0.5, FIRST - 0.3) > 0.1
    assert share_of(path, LOW, LAST + 0.5, 23.0) > 0.1
    assert max(after.peaks[int(FIRST * 10) : int(LAST * 10)]) == 0
    assert min(after.peaks[10 : int(FIRST * 10) - 2]) > 50
    assert after.size == path.stat().st_size


def test_the_recording_itself_is_not_played_while_it_still_has_it(
    cast: Cast, consent: Consent, tmp_path: Path
) -> None:
    path = write_audio(tmp_path / "original.mp3", sound(48_000))
    talk = make_talk(cast, consent, path, played=False)
    address = f"/conversaciones/{talk.conversation.pk}/audio/"
    client = cast.client(cast.owner)
    assert client.get(address).status_code == 200
    found = strike(talk, cast)
    assert client.get(address).status_code == 503
    assert talk.conversation.steps.get(name="playback").state == "waiting"
    with redaction.sound(talk.conversation) as heard:
        assert share_of(heard, HIGH, FIRST, LAST) < 1e-4
        assert share_of(heard, LOW, 1.0, 10.0) > 0.1
    undo(found, cast)
    assert client.get(address).status_code == 200
    with redaction.sound(talk.conversation) as heard:
        assert share_of(heard, HIGH, FIRST, LAST) > 0.1


def test_it_is_logged_without_what_was_said(
    talk: Talk, cast: Cast, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        found = strike(talk, cast)
        undo(found, cast)
    struck, back = (r.getMessage() for r in caplog.records if "redaction" in r.getMessage())
    assert f"11.3-14.7 s, struck by employee {cast.owner.pk}" in struck
    assert f"given back by employee {cast.teammate.pk}" in back
    assert not any(word in caplog.text.lower() for word in SECRETS)


# What is refused


def test_nothing_is_struck_while_a_step_is_at_work(talk: Talk, cast: Cast) -> None:
    talk.conversation.steps.filter(name="assess").update(state="running")
    with refused("running"):
        strike(talk, cast)
    assert "Zarzaparrilla" in talk.text
    talk.conversation.steps.filter(name="assess").update(state="waiting")
    strike(talk, cast)


def test_what_is_struck_already_is_not_struck_again(talk: Talk, cast: Cast) -> None:
    strike(talk, cast)
    with refused("already"):
        strike(talk, cast, 12.0, 13.0)
    with refused("nothing"):
        strike(talk, cast, 90.0, 95.0)


def test_a_withdrawn_consent_lets_words_go_but_not_come_back(talk: Talk, cast: Cast) -> None:
    talk.conversation.consent.withdrawn_at = timezone.now()
    talk.conversation.consent.save()
    found = strike(talk, cast)
    with refused("consent_withdrawn"):
        undo(found, cast)


def test_after_its_time_nothing_comes_back(talk: Talk, cast: Cast) -> None:
    found = strike(talk, cast)
    Redaction.objects.update(final_at=timezone.now() - timedelta(seconds=1))
    with refused("final"):
        undo(found, cast)
    Redaction.objects.all().delete()
    with refused("undone"):
        undo(found, cast)


def test_without_a_time_to_undo_it_cannot_be(talk: Talk, cast: Cast, settings: Any) -> None:
    settings.ENV = settings.ENV.model_copy(update={"redaction_undo_minutes": 0})
    found = strike(talk, cast)
    with refused("final"):
        undo(found, cast)


# What comes back


def test_an_undo_puts_everything_back(
    talk: Talk, cast: Cast, django_capture_on_commit_callbacks: Any
) -> None:
    before = everything()
    with django_capture_on_commit_callbacks(execute=True):
        found = strike(talk, cast)
    assert everything() != before
    assert [path.name for path in files_that_sound()] == ["original.wav"]
    with django_capture_on_commit_callbacks(execute=True):
        undo(found, cast)
    assert everything() == before
    assert not Redaction.objects.exists()
    assert talk.conversation.steps.get(name="playback").state == "waiting"
    assert [path.name for path in files()] == ["original.wav"]
    assert files_that_sound()


def test_words_come_back_where_they_are_now(talk: Talk, cast: Cast) -> None:
    found = strike(talk, cast)
    turn = talk.conversation.transcript.turns.get(position=1)
    turn.text = turn.text.replace("desde marzo.", "desde abril.")
    turn.words[-1][0] = " abril."
    turn.save()
    undo(found, cast)
    assert talk.text.endswith("con mi hermana Wenceslada desde abril.")


def test_a_block_that_somebody_deleted_comes_back_as_words(talk: Talk, cast: Cast) -> None:
    found = strike(talk, cast)
    turn = talk.conversation.transcript.turns.get(position=1)
    turn.text = turn.text.replace(f"{BLOCK} ", "")
    turn.words = [word for word in turn.words if BLOCK not in word[0]]
    turn.save()
    undo(found, cast)
    assert talk.text == LINES[1][1]


def test_an_answer_written_since_stays(talk: Talk, cast: Cast) -> None:
    found = strike(talk, cast)
    assessments.edit_answer(
        answer=talk.answer("empadronamiento"), employee=cast.owner, value="En Lugo"
    )
    undo(found, cast)
    assert talk.answer("empadronamiento").value == "En Lugo"
    assert talk.answer("redes_apoyo").value == "Wenceslada"


@pytest.mark.parametrize("first_back", [0, 1])
def test_stretches_that_overlap_come_back_one_by_one(
    talk: Talk, cast: Cast, first_back: int
) -> None:
    before = everything()
    one, two = strike(talk, cast, 11.5, 13.0), strike(talk, cast, 12.5, 14.5)
    assert talk.text == f"Sí, en la {BLOCK} {BLOCK} desde marzo."
    made = [one, two]
    undo(made[first_back], cast)
    left = (
        f"Sí, en la calle Zarzaparrilla, {BLOCK} desde marzo.",
        f"Sí, en la {BLOCK} mi hermana Wenceslada desde marzo.",
    )
    assert talk.text == left[first_back]
    with redaction.sound(talk.conversation) as heard:
        still = (one, two)[1 - first_back]
        assert share_of(heard, HIGH, still.start, still.end) < 1e-3
    undo(made[1 - first_back], cast)
    assert everything() == before


def test_what_was_chosen_stays_chosen_when_an_earlier_one_comes_back(
    talk: Talk, cast: Cast
) -> None:
    assessments.edit_answer(
        answer=talk.answer("empleo"), employee=cast.owner, value="Con Wenceslada"
    )
    one = strike(talk, cast, 11.5, 12.5)
    two = strike(talk, cast, 14.0, LAST, answers=[talk.answer("empleo").pk])
    undo(one, cast)
    assert talk.answer("empleo").value == ""
    assert talk.answer("empadronamiento").value == "En la calle Zarzaparrilla"
    undo(Redaction.objects.get(pk=two.pk), cast)
    assert talk.answer("empleo").value == "Con Wenceslada"


# Beside corrections


def correct(talk: Talk, cast: Cast, old: str, new: str) -> Edit | None:
    turn = Turn.objects.get(pk=talk.turns[1].pk)
    return editing.change_text(
        conversation=talk.conversation,
        employee=cast.teammate,
        turn=turn.pk,
        seen=turn.version,
        text=turn.text.replace(old, new),
    )


def test_a_correction_is_undone_without_bringing_words_back(talk: Talk, cast: Cast) -> None:
    edit = correct(talk, cast, "Zarzaparrilla, con mi hermana", "Zarzaparrilla con mi prima")
    assert edit is not None
    found = strike(talk, cast, 12.0, 14.5)
    assert rows_with((*SECRETS, "wenceslava")) == {"corrections_redaction.kept"}
    undoing.undo(conversation=talk.conversation, employee=cast.teammate, edit=edit.pk)
    assert talk.text == f"Sí, en la calle {BLOCK} desde marzo."
    assert rows_with((*SECRETS, "wenceslava")) == {"corrections_redaction.kept"}
    undo(found, cast)
    assert "Zarzaparrilla" in talk.text
    assert "Wenceslada desde marzo." in talk.text


def test_a_turn_divided_since_gets_its_words_back(talk: Talk, cast: Cast) -> None:
    found = strike(talk, cast)
    turn = Turn.objects.get(position=1)
    editing.split_turn(
        conversation=talk.conversation,
        employee=cast.owner,
        turn=turn.pk,
        seen=turn.version,
        at=turn.text.index(BLOCK),
    )
    undo(found, cast)
    texts = list(Turn.objects.order_by("position").values_list("text", flat=True))
    assert texts[1:3] == [
        "Sí, en la",
        "calle Zarzaparrilla, con mi hermana Wenceslada desde marzo.",
    ]


def test_who_was_correcting_is_told_who_struck(talk: Talk, cast: Cast) -> None:
    strike(talk, cast)
    with pytest.raises(Changed) as told:
        editing.change_text(
            conversation=talk.conversation,
            employee=cast.teammate,
            turn=talk.turns[1].pk,
            seen=0,
            text="Sí, en la calle Zarzaparrilla, con mi prima.",
        )
    assert (told.value.by, told.value.turn) == ("Ana Robles", talk.turns[1].pk)
    assert BLOCK in talk.text


def test_pages_that_are_open_learn_of_it(talk: Talk, cast: Cast) -> None:
    seen = queries.revision(talk.conversation)
    found = strike(talk, cast)
    changes = queries.changes_since(talk.conversation, seen)
    assert [turn.pk for turn in changes.turns] == [talk.turns[1].pk]
    undo(found, cast)
    changes = queries.changes_since(talk.conversation, changes.revision)
    assert [turn.text for turn in changes.turns] == [LINES[1][1]]


def test_a_redaction_is_not_undone_as_a_correction(talk: Talk, cast: Cast) -> None:
    Edit.objects.all().delete()
    strike(talk, cast)
    edit = Edit.objects.get()
    assert edit not in queries.standing(talk.conversation.edits.all())
    assert not queries.is_edited(talk.conversation)
    with refused("undone"):
        undoing.undo(conversation=talk.conversation, employee=cast.owner, edit=edit.pk)


def test_there_is_nothing_to_review_in_it(talk: Talk, cast: Cast) -> None:
    strike(talk, cast)
    moments = [Moment("silence", 12.0, 13.0, 1, BLOCK), Moment("gap", 16.0, 19.0, None, "")]
    assert redaction.outside(talk.conversation, moments) == moments[1:]


# What is heard anew


def heard(*lines: tuple[float, str]) -> speech.Transcript:
    turns = []
    for start, text in lines:
        words = tuple(
            speech.Word(word, start + n / 2, start + n / 2 + 0.5, 0.9)
            for n, word in enumerate(text.split())
        )
        turns.append(speech.Turn("S1", start, words[-1].end, text, words))
    return speech.Transcript(tuple(turns), "es", 24.0, "local", "large")


def again(talk: Talk, transcript: speech.Transcript) -> None:
    proofs.replace_transcript(
        conversation=talk.conversation,
        transcript=redaction.struck(talk.conversation, transcript),
    )


def test_what_is_heard_anew_has_a_block_where_there_is_silence(talk: Talk, cast: Cast) -> None:
    found = strike(talk, cast)
    again(talk, heard((10.0, "Sí, en la"), (15.5, "desde marzo.")))
    texts = list(Turn.objects.values_list("text", flat=True))
    assert texts == [f"Sí, en la {BLOCK}", "desde marzo."]
    undo(found, cast)
    assert Turn.objects.first().text == "Sí, en la calle Zarzaparrilla, con mi hermana Wenceslada"


def test_words_imagined_in_the_silence_are_struck(talk: Talk, cast: Cast) -> None:
    strike(talk, cast)
    Redaction.objects.update(finished_at=timezone.now(), kept={})
    again(talk, heard((10.0, "Sí, en la Subtítulos por la comunidad y más desde marzo.")))
    assert Turn.objects.get().text == f"Sí, en la {BLOCK} desde marzo."


def test_nothing_heard_at_all(talk: Talk, cast: Cast) -> None:
    strike(talk, cast)
    again(talk, heard())
    assert not Turn.objects.exists()


# One after the other


@pytest.mark.django_db(transaction=True)
def test_a_step_that_begins_meanwhile_waits(talk: Talk, cast: Cast) -> None:
    from concurrent.futures import ThreadPoolExecutor
    from threading import Event

    from django.db import transaction

    begun, go_on = Event(), Event()

    def begin() -> int:
        begun.wait(10)
        try:
            return ProcessingStep.objects.filter(name="assess").update(state="running")
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(begin)
        with transaction.atomic():
            redaction._locked(talk.conversation)
            begun.set()
            go_on.wait(0.3)
            assert not waiting.done()
        assert waiting.result(10) == 1
