from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from conftest import Cast
from portal.accounts.models import Employee
from portal.analysis.engines.base import Evidence, Finding
from portal.assessments import review, services
from portal.assessments.models import Answer, Sheet, Suggestion
from portal.assessments.tests.conftest import later_interview
from portal.conversations.models import Conversation, Turn
from portal.participants.models import Participant

HTMX = {"HX-Request": "true"}


@pytest.fixture
def answer(filled: Sheet) -> Answer:
    return filled.answers.get(question__slug="empadronamiento")


@pytest.fixture
def client(cast: Cast) -> Client:
    return cast.client(cast.owner)


def post(client: Client, answer: Answer, status: int = 200, **data: str) -> str:
    response = client.post(f"/respuestas/{answer.pk}/", data, headers=HTMX)
    assert response.status_code == status
    return response.content.decode()


def test_the_ficha_starts_with_the_first_conversation(
    client: Client, participant: Participant
) -> None:
    html = client.get(f"/personas/{participant.pk}/ficha/").content.decode()
    assert "La ficha empieza con la primera conversación" in html
    assert not Sheet.objects.exists()


def test_the_ficha_shows_answers_with_the_words_that_prove_them(
    client: Client, conversation: Conversation, filled: Sheet
) -> None:
    html = client.get(f"/personas/{filled.participant_id}/ficha/").content.decode()
    assert html.count('<section class="domain domain-') == 7
    assert html.count("<article ") == 16
    assert "<strong>1 de 16</strong>" in html
    assert "Sí, en Olmo" in html
    assert "«calle Olmo»" in html
    assert 'data-play-from="11.50"' in html
    assert f"/conversaciones/{conversation.pk}/#turno-1" in html
    assert "Prefirió no contestar" in html


def test_saving_shows_who_wrote_it_and_the_new_count(client: Client, filled: Sheet) -> None:
    blank = filled.answers.get(question__slug="nacionalidad")
    html = post(client, blank, value="  No, tiene residencia ")
    blank.refresh_from_db()
    assert (blank.value, blank.state, blank.origin) == (
        "No, tiene residencia",
        "answered",
        "person",
    )
    assert "Escrita por Ana Robles" in html
    assert "<strong>2 de 16</strong>" in html
    assert 'hx-swap-oob="true"' in html


def test_a_person_decides_the_state_too(client: Client, cast: Cast, answer: Answer) -> None:
    html = post(client, answer, state="declined", value="")
    answer.refresh_from_db()
    assert (answer.state, answer.value, answer.edited_by) == ("declined", "", cast.owner)
    assert "Anotado por Ana Robles" in html
    assert "<strong>0 de 16</strong>" in html


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"state": "answered", "value": " "}, "escriba la respuesta"),
        ({"state": "inventado"}, "inventado"),
        ({"value": "x" * 4001}, "4000"),
    ],
)
def test_what_cannot_be_saved_comes_back_as_it_was_written(
    client: Client, answer: Answer, data: dict[str, str], text: str
) -> None:
    html = post(client, answer, 422, **data)
    assert text in html
    assert data.get("value", "") in html
    answer.refresh_from_db()
    assert answer.value == "Sí, en Olmo"


def test_a_colleague_s_words_are_not_overwritten_unseen(
    cast: Cast, client: Client, answer: Answer
) -> None:
    seen = answer.version
    services.edit_answer(answer=answer, employee=cast.teammate, value="Sí, en Roble")
    html = post(client, answer, 422, value="No", seen=seen)
    assert "Bruno Salas guardó: «Sí, en Roble»" in html
    assert ">No</textarea>" in html
    answer.refresh_from_db()
    assert answer.value == "Sí, en Roble"
    post(client, answer, value="No", seen=answer.version)
    answer.refresh_from_db()
    assert answer.value == "No"


def test_choosing_a_state_tells_what_was_seen(client: Client, answer: Answer) -> None:
    assert client.get(f"/respuestas/{answer.pk}/").content.decode().count(answer.version) >= 3


def accepts(answer: Answer, colleague: Employee) -> None:
    review.accept(answer=answer, employee=colleague)


def rejects(answer: Answer, colleague: Employee) -> None:
    review.reject(answer=answer, employee=colleague)


def takes(answer: Answer, colleague: Employee) -> None:
    review.take(suggestion=answer.suggestions.get(), employee=colleague)


@pytest.mark.parametrize(
    ("decides", "text"),
    [
        (accepts, "Bruno Salas guardó: «Sí, en Olmo»"),
        (rejects, "Bruno Salas cambió esta respuesta"),
        (takes, "Bruno Salas guardó: «No, en Lugo»"),
    ],
)
def test_a_colleague_s_decision_is_not_overwritten_unseen(
    cast: Cast,
    client: Client,
    answer: Answer,
    moved: Suggestion,
    decides: Callable[[Answer, Employee], None],
    text: str,
) -> None:
    seen = answer.version
    decides(answer, cast.teammate)
    answer.refresh_from_db()
    decided = answer.state, answer.value, answer.reviewed_by
    assert text in post(client, answer, 422, value="No", seen=seen)
    answer.refresh_from_db()
    assert (answer.state, answer.value, answer.reviewed_by) == decided
    post(client, answer, value="No", seen=answer.version)
    answer.refresh_from_db()
    assert answer.value == "No"


def test_what_a_machine_added_meanwhile_does_not_stop_a_person(
    client: Client, conversation: Conversation, turns: list[Turn], filled: Sheet
) -> None:
    health = filled.answers.get(question__slug="estado_salud")
    seen = health.version
    services.record_findings(
        conversation=conversation,
        findings=[Finding("estado_salud", "asked", evidence=(Evidence(4, "salud"),))],
        turns=turns,
        engine="local",
        model="1",
    )
    post(client, health, value="Bien", seen=seen)
    health.refresh_from_db()
    assert health.value == "Bien"


def test_an_answer_is_never_markup(client: Client, answer: Answer) -> None:
    bad = "</textarea><script>alert(1)</script>\"'"
    assert "<script>alert" not in post(client, answer, value=bad)
    for address in (f"/respuestas/{answer.pk}/", f"/respuestas/{answer.pk}/?editar"):
        assert "<script>alert" not in client.get(address, headers=HTMX).content.decode()


def test_an_answer_is_a_page_for_who_comes_without_scripts(client: Client, answer: Answer) -> None:
    html = client.get(f"/respuestas/{answer.pk}/?editar").content.decode()
    assert "<textarea" in html
    assert "<h1" in html
    response = client.post(f"/respuestas/{answer.pk}/", {"value": "No"})
    assert response["Location"] == f"/personas/{answer.sheet.participant_id}/ficha/#r-{answer.pk}"


def test_the_ficha_costs_few_queries(
    client: Client, filled: Sheet, django_assert_max_num_queries: object
) -> None:
    address = f"/personas/{filled.participant_id}/ficha/"
    client.get(address)
    with django_assert_max_num_queries(17):  # type: ignore[operator]
        client.get(address)


def test_later_interviews_cost_few_more(
    client: Client, moved: Suggestion, django_assert_max_num_queries: object
) -> None:
    address = f"/personas/{moved.conversation.participant_id}/ficha/"
    client.get(address)
    with django_assert_max_num_queries(24):  # type: ignore[operator]
        client.get(address)


@pytest.mark.parametrize("page", ["/personas/{person}/ficha/", "/respuestas/{answer}/"])
@pytest.mark.parametrize(
    ("who", "status"), [("owner", 200), ("teammate", 200), ("stranger", 404), (None, 302)]
)
def test_only_the_team_sees_it(
    cast: Cast, answer: Answer, page: str, who: str | None, status: int
) -> None:
    address = page.format(person=answer.sheet.participant_id, answer=answer.pk)
    assert cast.client(getattr(cast, who) if who else None).get(address).status_code == status


def test_a_stranger_writes_nothing(cast: Cast, answer: Answer) -> None:
    response = cast.client(cast.stranger).post(f"/respuestas/{answer.pk}/", {"value": "No"})
    assert response.status_code == 404
    answer.refresh_from_db()
    assert answer.value == "Sí, en Olmo"


# Review


@pytest.fixture
def moved(conversation: Conversation, filled: Sheet) -> Suggestion:
    """A later interview says otherwise of the first answer, and knows something new."""
    later = later_interview(conversation)
    services.record_findings(
        conversation=later,
        findings=[
            Finding("empadronamiento", "answered", "No, en Lugo", (Evidence(1, "en Lugo"),)),
            Finding("empleo", "answered", "Limpiando", (Evidence(3, "limpiando"),)),
        ],
        turns=list(later.transcript.turns.all()),
        engine="local",
        model="1",
    )
    return Suggestion.objects.get()


def decide(client: Client, address: str, decision: str, status: int = 200, **data: str) -> str:
    response = client.post(address, {"decision": decision, **data}, headers=HTMX)
    assert response.status_code == status
    return response.content.decode()


def test_accepting_shows_who_did_and_what_is_reviewed(client: Client, answer: Answer) -> None:
    address = f"/respuestas/{answer.pk}/decision/"
    html = decide(client, address, "accept", seen=answer.version)
    assert "Aceptada por Ana Robles" in html
    assert "1 revisada" in html
    assert 'data-then="next"' in html
    assert "data-accept" not in html
    html = decide(client, address, "reject")
    assert "Escribir la respuesta" in html
    assert 'data-then="here"' in html
    html = decide(client, address, "accept", 422)
    assert 'role="alert"' in html
    assert "ya no hay ninguna propuesta" in html


def test_what_changed_meanwhile_is_shown_and_not_accepted(client: Client, answer: Answer) -> None:
    html = decide(client, f"/respuestas/{answer.pk}/decision/", "accept", 422, seen="earlier")
    assert "ha cambiado mientras la miraba" in html
    answer.refresh_from_db()
    assert not answer.is_reviewed


def test_a_suggestion_stands_beside_the_answer_with_both_quotes(
    client: Client, answer: Answer, moved: Suggestion
) -> None:
    html = client.get(f"/respuestas/{answer.pk}/", headers=HTMX).content.decode()
    for text in ("«calle Olmo»", "«en Lugo»", "Sí, en Olmo", "No, en Lugo", "Se ha mudado"):
        assert text in html
    html = decide(client, f"/sugerencias/{moved.pk}/", "take")
    assert "Sí, en Olmo" not in html
    assert "Aceptada por Ana Robles" in html
    html = decide(client, f"/sugerencias/{moved.pk}/", "leave", 422)
    assert "ya no espera" in html
    history = client.get(f"/respuestas/{answer.pk}/historia/").content.decode()
    assert history.index("No, en Lugo") < history.index("Sí, en Olmo")
    assert "Ana Robles" in history


def test_the_ficha_says_what_the_latest_interview_changed(
    client: Client, filled: Sheet, moved: Suggestion
) -> None:
    page = f"/personas/{filled.participant_id}/ficha/"
    html = client.get(page).content.decode()
    assert "1 respuesta nueva" in html
    assert "1 sugerencia por decidir" in html
    client.post(f"/sugerencias/{moved.pk}/", {"decision": "take"})
    html = client.get(page).content.decode()
    assert "1 cambiada" in html
    changes = client.get(f"{page}cambios/").content.decode()
    latest, first = changes.split("Padrón y dinero en casa")
    assert latest.index("Sí, en Olmo") < latest.index("No, en Lugo")
    assert "Limpiando" in latest
    assert "Prefirió no contestar" in first


def test_an_interview_that_is_not_written_down_yet_says_nothing(
    client: Client, conversation: Conversation, filled: Sheet
) -> None:
    Conversation.objects.create(
        participant=conversation.participant,
        consent=conversation.consent,
        created_by=conversation.created_by,
        engine="local",
    )
    html = client.get(f"/personas/{filled.participant_id}/ficha/").content.decode()
    assert "desde la entrevista anterior" not in html


def test_what_is_suggested_is_never_markup(
    client: Client, answer: Answer, moved: Suggestion
) -> None:
    bad = "<script>alert(1)</script>\"'"
    piece = moved.evidence[0] | {"quote": bad}
    Suggestion.objects.update(value=bad, evidence=[piece])
    person = moved.conversation.participant_id
    pages = [f"/personas/{person}/ficha/"]
    assert "<script>alert" not in client.get(pages[0]).content.decode()
    client.post(f"/sugerencias/{moved.pk}/", {"decision": "take"})
    pages += [f"/personas/{person}/ficha/cambios/", f"/respuestas/{answer.pk}/historia/"]
    for page in pages:
        html = client.get(page).content.decode()
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html


def test_all_that_a_domain_showed_is_accepted(client: Client, filled: Sheet) -> None:
    page = f"/personas/{filled.participant_id}/ficha/"
    Answer.objects.filter(question__slug="nacionalidad").update(
        origin="machine", state="answered", value="No"
    )
    html = client.get(page).content.decode()
    assert "Aceptar las 2 propuestas" in html
    answers = filled.answers.filter(question__domain__slug="personal", origin="machine")
    seen = [f"{answer.pk}@{answer.version}" for answer in answers]
    html = client.post(f"{page}personal/aceptar/", {"seen": seen}, headers=HTMX).content.decode()
    assert "2 respuestas aceptadas" in html
    assert 'id="sheet-summary" hx-swap-oob="true"' in html
    filled.refresh_from_db()
    assert filled.reviewed == 2
    response = client.post(f"{page}personal/aceptar/", {"seen": ["x@y", "7", *seen]})
    assert response["Location"] == f"{page}#d-personal"


def test_decisions_work_without_scripts(client: Client, answer: Answer) -> None:
    response = client.post(f"/respuestas/{answer.pk}/decision/", {"decision": "accept"})
    assert response["Location"] == f"/personas/{answer.sheet.participant_id}/ficha/#r-{answer.pk}"
    answer.refresh_from_db()
    assert answer.is_reviewed
    assert client.post(f"/respuestas/{answer.pk}/decision/", {}).status_code == 400


def test_cards_and_notifications_tell_of_suggestions(
    client: Client, cast: Cast, moved: Suggestion
) -> None:
    later = moved.conversation
    cards = client.get(f"/personas/{later.participant_id}/").content.decode()
    assert cards.count("1 sugerencia en la ficha") == 1
    later.notifications.create(
        recipient=cast.owner, participant=later.participant, kind="suggestion"
    )
    assert "1 sugerencia en la ficha" in client.get("/notificaciones/").content.decode()
