"""Saber más: asking on a transcript, on a card and of a person as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest
from playwright.sync_api import Page, expect

from conftest import Cast
from portal.analysis.engines.base import Evidence, Reply, Turn
from portal.conversations.models import Conversation
from portal.inquiries import answering
from portal.inquiries.models import Inquiry
from portal.participants.models import Consent
from portal.usage import analysing
from tests.browser.conftest import accessible_everywhere
from tests.browser.scene import Shoot, person_page, ready_talk

HOSTILE = "<img src=x onerror=alert(1)>"


class Scripted:
    """Knows where she lives, and nothing else."""

    name, model = "extractive", "1"

    def ask(self, turns: Sequence[Turn], question: str) -> Reply:
        if "vive" not in question:
            return Reply(False)
        return Reply(True, "En la calle Olmo", (Evidence(1, "en la calle Olmo, desde marzo"),))


@pytest.fixture
def talk(consent: Consent, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Conversation:
    monkeypatch.setattr(analysing, "get_engine", lambda _name: Scripted())
    return ready_talk(consent, cast)


def answer_all() -> None:
    """What a worker does."""
    for inquiry in Inquiry.objects.filter(state="waiting"):
        answering.answer(inquiry.pk)


def test_asking_a_transcript_with_the_keyboard_alone(
    page: Page, talk: Conversation, shoot: Shoot
) -> None:
    page.goto(f"/conversaciones/{talk.pk}/")
    box = page.get_by_role("region", name="Saber más")
    field = box.get_by_role("textbox", name="Saber más de esta conversación")
    field.focus()
    page.keyboard.type("¿Dónde vive?")
    page.keyboard.press("Enter")
    expect(box).to_contain_text("Buscando en lo que se dijo")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    answer_all()
    quote = box.get_by_role("link", name=re.compile("«?en la calle Olmo, desde marzo"))
    expect(quote).to_be_visible()
    page.keyboard.type(f"¿Tiene coche? {HOSTILE}")
    page.keyboard.press("Enter")
    expect(box).to_contain_text("Buscando en lo que se dijo")
    answer_all()
    expect(box).to_contain_text("No se habla de eso en la conversación.")
    expect(box.get_by_text(HOSTILE)).to_be_visible()
    accessible_everywhere(page)
    shoot(page, "saber-mas")

    asked = box.get_by_role("listitem").first
    asked.get_by_role("button", name="Volver a preguntar").focus()
    page.keyboard.press("Enter")
    expect(asked).to_contain_text("Buscando en lo que se dijo")
    expect(asked).to_be_focused()
    answer_all()
    expect(asked).to_contain_text("No se habla de eso en la conversación.")
    expect(asked).to_be_focused()

    for _ in range(6):
        page.keyboard.press("Tab")
        if quote.evaluate("a => a === document.activeElement"):
            break
    page.keyboard.press("Enter")
    expect(page.locator("#turno-1 .turn-time")).to_be_focused()
    expect(page.locator("#turno-1")).to_be_in_viewport()
    expect(page.get_by_role("region", name="Reproductor")).to_be_visible()
    assert page.locator("audio").evaluate("a => a.currentTime") >= 5

    box.get_by_role("button", name="Borrar la pregunta: ¿Tiene coche?").focus()
    page.keyboard.press("Enter")
    expect(box.get_by_text("Pregunta borrada.")).to_be_focused()
    assert [inquiry.question for inquiry in Inquiry.objects.all()] == ["¿Dónde vive?"]

    page.reload()
    earlier = box.get_by_text("1 pregunta anterior")
    earlier.focus()
    page.keyboard.press("Enter")
    expect(box.get_by_role("link", name=re.compile("calle Olmo"))).to_be_visible()


def test_an_answer_is_seen_while_it_is_written(
    page: Page, talk: Conversation, shoot: Shoot
) -> None:
    page.goto(f"/conversaciones/{talk.pk}/")
    field = page.get_by_role("textbox", name="Saber más de esta conversación")
    field.fill("¿Dónde vive?")
    field.press("Enter")
    asked = page.get_by_role("region", name="Saber más").get_by_role("listitem").first
    expect(asked).to_contain_text("Buscando en lo que se dijo")
    asked.get_by_role("button", name="Borrar la pregunta").focus()
    for so_far in ("Vive en la calle", f"Vive en la calle Olmo {HOSTILE}"):
        Inquiry.objects.update(unfinished=so_far)
        expect(asked.get_by_text(so_far, exact=True)).to_be_visible()
        expect(asked).to_contain_text("Aún no está comprobado")
        expect(asked.get_by_role("link")).to_have_count(0)
    expect(asked.get_by_role("button", name="Borrar la pregunta")).to_be_focused()
    accessible_everywhere(page)
    shoot(page, "saber-mas-escribiendo")
    Inquiry.objects.update(unfinished="")
    expect(asked.get_by_text("Aún no está comprobado")).to_have_count(0)
    answer_all()
    expect(asked.get_by_role("link", name=re.compile("calle Olmo"))).to_be_visible()


def test_a_card_leads_to_the_words_and_goes_on_playing(
    page: Page, talk: Conversation, consent: Consent, cast: Cast, shoot: Shoot
) -> None:
    ready_talk(consent, cast)
    person_page(page, talk.participant)
    whole = page.get_by_role("textbox", name="Saber más de todas sus conversaciones")
    whole.fill("¿Dónde vive?")
    whole.press("Enter")
    card = page.locator(f"#c-{talk.pk}")
    field = card.get_by_role("textbox", name="Saber más de esta conversación")
    field.fill("¿Dónde vive ahora?")
    field.press("Enter")
    expect(page.get_by_text("Buscando en lo que se dijo")).to_have_count(2)
    answer_all()
    expect(page.get_by_role("link", name=re.compile("calle Olmo"))).to_have_count(3)
    accessible_everywhere(page)
    card.get_by_role("link", name=re.compile("calle Olmo")).click()
    expect(page).to_have_url(re.compile(f"/conversaciones/{talk.pk}/#turno-1$"))
    expect(page.locator("#turno-1")).to_be_in_viewport()
    expect(page.locator("#turno-1")).to_have_class(re.compile("is-heard"))
    person_page(page, talk.participant)
    for earlier in page.get_by_text("1 pregunta anterior").all():
        earlier.click()
    expect(page.get_by_role("link", name=re.compile("calle Olmo"))).to_have_count(3)
    shoot(page, "saber-mas-persona")


def test_a_question_that_cannot_be_sent_stays_in_its_field(
    page: Page, talk: Conversation, problems: list[str]
) -> None:
    page.goto(f"/conversaciones/{talk.pk}/")
    page.route("**/saber-mas/", lambda route: route.abort())
    field = page.get_by_role("textbox", name="Saber más de esta conversación")
    field.fill("¿Dónde vive?")
    field.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Lo que ha escrito sigue aquí")
    expect(field).to_have_value("¿Dónde vive?")
    problems.clear()
