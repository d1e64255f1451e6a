"""What was asked of a conversation when something is struck out of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from conftest import Cast
from portal.corrections import redaction
from portal.corrections.tests.scene import FIRST, LAST, SECRETS, Talk, make_talk, rows_with
from portal.inquiries import queries
from portal.inquiries.models import Inquiry, Reply
from portal.participants.models import Consent


def ask(talk: Talk, cast: Cast, question: str, *, whole: bool = False) -> Inquiry:
    return Inquiry.objects.create(
        participant=talk.conversation.participant,
        conversation=None if whole else talk.conversation,
        question=question,
        state="found",
        asked_by=cast.owner,
    )


def reply(
    inquiry: Inquiry, talk: Talk, answer: str, quote: str, start: float, end: float
) -> Inquiry:
    inquiry.replies.create(
        conversation=talk.conversation,
        answer=answer,
        evidence=[{"quote": quote, "start": start, "end": end}],
    )
    return inquiry


def everything() -> list[Any]:
    inquiries = list(Inquiry.objects.order_by("pk").values())
    for row in inquiries:  # kept to the millisecond
        row["asked_at"] = row["asked_at"].isoformat(timespec="milliseconds")
    return [inquiries, list(Reply.objects.order_by("pk").values())]


@pytest.fixture
def asked(talk: Talk, cast: Cast) -> dict[str, Inquiry]:
    street = ("En la calle", "en la calle Zarzaparrilla,", 11.0, 12.5)
    return {
        "quoted": reply(ask(talk, cast, "¿Dónde vive?"), talk, *street),
        "quoted of all": reply(ask(talk, cast, "¿Dónde vive?", whole=True), talk, *street),
        "told": reply(
            ask(talk, cast, "¿Con quién?"), talk, "Con Wenceslada", "desde marzo.", 14.5, 15.5
        ),
        "mentioned": ask(talk, cast, "¿Quién es Wenceslada?"),
        "mentioned of all": ask(talk, cast, "¿Quién es Wenceslada?", whole=True),
        "other": reply(ask(talk, cast, "¿Desde?"), talk, "Marzo", "desde marzo.", 14.5, 15.5),
        "waiting": ask(talk, cast, "¿Tiene hijos?"),
    }


def test_what_tells_of_it_goes_and_comes_back(
    talk: Talk, cast: Cast, asked: dict[str, Inquiry]
) -> None:
    before = everything()
    struck = redaction.strike(
        conversation=talk.conversation, employee=cast.owner, start=FIRST, end=LAST
    )
    left = set(Inquiry.objects.all())
    assert left == {asked["other"], asked["waiting"]}
    assert rows_with(SECRETS) == {"corrections_redaction.kept"}
    [shown] = queries.shown([asked["other"]])
    assert not shown.changed
    redaction.undo(redaction=struck, employee=cast.owner)
    assert everything() == before


def test_what_another_conversation_answers_stays(
    talk: Talk, consent: Consent, cast: Cast, tmp_path: Path
) -> None:
    other = make_talk(cast, consent, tmp_path / "original.wav", played=False)
    both = ask(talk, cast, "¿Dónde vive?", whole=True)
    reply(both, other, "En la calle Zarzaparrilla", "calle Zarzaparrilla", 11.5, 12.5)
    redaction.strike(conversation=talk.conversation, employee=cast.owner, start=FIRST, end=LAST)
    assert Inquiry.objects.get() == both


def test_a_conversation_deleted_before_the_undo_stays_away(
    talk: Talk, consent: Consent, cast: Cast, tmp_path: Path
) -> None:
    other = make_talk(cast, consent, tmp_path / "original.wav", played=False)
    both = ask(talk, cast, "¿Dónde vive?", whole=True)
    for one in (talk, other):
        reply(both, one, "En la calle Zarzaparrilla", "calle Zarzaparrilla", 11.5, 12.5)
    struck = redaction.strike(
        conversation=talk.conversation, employee=cast.owner, start=FIRST, end=LAST
    )
    other.conversation.delete()
    redaction.undo(redaction=struck, employee=cast.owner)
    assert Reply.objects.get().conversation == talk.conversation


def test_the_dialog_says_which_questions_go(
    talk: Talk, cast: Cast, asked: dict[str, Inquiry]
) -> None:
    page = cast.client(cast.owner).get(
        f"/conversaciones/{talk.conversation.pk}/tachar/", {"desde": FIRST, "hasta": LAST - 0.5}
    )
    text = page.content.decode()
    assert "las preguntas de «Saber más»" in text
    assert "¿Quién es Wenceslada?" in text
    assert "¿Tiene hijos?" not in text
