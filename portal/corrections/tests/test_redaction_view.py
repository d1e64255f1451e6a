from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.utils import timezone

from conftest import Cast
from portal.assessments import services as assessments
from portal.conversations.models import Conversation, Turn
from portal.corrections.models import Redaction
from portal.corrections.striking import BLOCK
from portal.corrections.templatetags.corrections import clock_tenths
from portal.corrections.tests.scene import Talk

# As a page says it: where "calle" and where "Wenceslada" begin.
CHOSEN = {"desde": "11.50", "hasta": "14.00"}
HTMX = {"HX-Request": "true"}


def page(talk: Talk, end: str = "tachar") -> str:
    return f"/conversaciones/{talk.conversation.pk}/{end}/"


def asked(talk: Talk, cast: Cast, **sent: str) -> str:
    response = cast.client(cast.owner).get(page(talk), {**CHOSEN, **sent}, headers=HTMX)
    assert response.status_code == 200
    return response.content.decode()


def seen(talk: Talk, cast: Cast) -> str:
    found = re.search(r'name="visto" value="([^"]*)"', asked(talk, cast))
    assert found
    return found[1]


def send(talk: Talk, cast: Cast, **more: Any) -> HttpResponse:
    data = {**CHOSEN, "visto": seen(talk, cast), **more}
    return cast.client(cast.owner).post(page(talk), data, headers=HTMX)


def test_the_dialog_says_what_goes(talk: Talk, cast: Cast) -> None:
    said = asked(talk, cast)
    assert "<del>calle Zarzaparrilla, con mi hermana Wenceslada</del>" in said
    assert "0:11,3 – 0:14,6" in said
    assert "¿Está usted empadronado/a" in said
    assert "Podrá deshacerlo durante 30 minutos" in said
    assert "El título y la descripción, que lo mencionan" in said
    assert 'type="checkbox"' not in said
    assert Turn.objects.filter(text__contains=BLOCK).count() == 0


def test_what_people_wrote_is_theirs_to_decide(talk: Talk, cast: Cast) -> None:
    assessments.edit_answer(
        answer=talk.answer("empleo"), employee=cast.owner, value="Con Wenceslada"
    )
    Conversation.objects.update(titled_by=cast.owner)
    said = asked(talk, cast)
    assert "«Con Wenceslada»" in said
    assert "«Vive en Zarzaparrilla»" in said
    send(talk, cast, respuestas=[talk.answer("empleo").pk, "x"], titulo="on")
    assert talk.answer("empleo").value == ""
    assert Conversation.objects.get().title == ""


def test_it_is_struck_and_the_page_told(talk: Talk, cast: Cast) -> None:
    response = send(talk, cast)
    assert response.status_code == 200
    assert response["HX-Reswap"] == "none"
    assert 'hx-swap-oob="true"' in response.content.decode()
    told = json.loads(response["HX-Trigger"])
    assert set(told) == {"dialog-close", "transcript-changed", "moments", "toast", "redacted"}
    assert told["redacted"]["audio"] == page(talk, "audio")
    assert talk.text == f"Sí, en la {BLOCK} desde marzo."
    made = Redaction.objects.get()
    assert (made.start, made.end, made.made_by) == (11.35, 14.65, cast.owner)


def test_without_a_script_it_works_as_a_page(talk: Talk, cast: Cast) -> None:
    client = cast.client(cast.owner)
    assert "Tachar un fragmento" in client.get(page(talk), CHOSEN).content.decode()
    data = {**CHOSEN, "visto": seen(talk, cast)}
    response = client.post(page(talk), data, follow=True)
    assert response.redirect_chain == [(f"/conversaciones/{talk.conversation.pk}/", 302)]
    assert "Tachado: ya no se oye ni se lee." in response.content.decode()


def test_words_that_somebody_corrects_meanwhile_are_shown_first(talk: Talk, cast: Cast) -> None:
    version = seen(talk, cast)
    Turn.objects.filter(position=1).update(version=7)
    response = send(talk, cast, visto=version)
    assert response.status_code == 422
    assert "No se ha tachado nada" in response.content.decode()
    assert not Redaction.objects.exists()


def test_what_cannot_be_is_said_in_the_dialog(talk: Talk, cast: Cast) -> None:
    version = seen(talk, cast)
    talk.conversation.steps.filter(name="assess").update(state="running")
    response = send(talk, cast, visto=version)
    assert response.status_code == 422
    assert "Espere a que termine" in response.content.decode()


@pytest.mark.parametrize(
    "sent", [{}, {"desde": "x", "hasta": "1"}, {"desde": "nan"}, {"desde": "-3"}]
)
def test_a_selection_that_is_none(talk: Talk, cast: Cast, sent: dict[str, str]) -> None:
    client = cast.client(cast.owner)
    response = client.get(page(talk), sent)
    assert response.status_code == 200
    assert "Seleccione las palabras" in response.content.decode()
    assert client.post(page(talk), sent).status_code == 422


def test_the_list_says_who_and_until_when(talk: Talk, cast: Cast) -> None:
    send(talk, cast)
    made = Redaction.objects.get()
    client = cast.client(cast.teammate)
    said = " ".join(client.get(page(talk, "tachados"), headers=HTMX).content.decode().split())
    today = f"hoy {timezone.localtime(made.made_at):%H:%M}"
    assert f"Tachado: 0:11–0:14, Ana Robles, {today}" in said
    assert f"hasta las {timezone.localtime(made.final_at):%H:%M}" in said
    assert "Zarzaparrilla" not in said
    Redaction.objects.update(
        made_at=timezone.now() - timedelta(days=2), final_at=timezone.now() - timedelta(days=1)
    )
    said = client.get(page(talk, "tachados"), headers=HTMX).content.decode()
    assert "Definitivo: ya no se puede recuperar." in said
    assert "Deshacer" not in said
    assert "hoy" not in said


def test_an_undo_tells_the_page(talk: Talk, cast: Cast) -> None:
    send(talk, cast)
    address = f"{page(talk, 'tachados')}{Redaction.objects.get().pk}/deshacer/"
    client = cast.client(cast.teammate)
    told = json.loads(client.post(address, headers=HTMX)["HX-Trigger"])
    assert told["toast"]["level"] == "success"
    assert "Zarzaparrilla" in talk.text
    assert client.post(address, headers=HTMX).status_code == 404


def test_an_undo_that_comes_too_late_says_so(talk: Talk, cast: Cast) -> None:
    send(talk, cast)
    Redaction.objects.update(final_at=timezone.now())
    address = f"{page(talk, 'tachados')}{Redaction.objects.get().pk}/deshacer/"
    response = cast.client(cast.owner).post(address, follow=True)
    assert "El plazo para deshacerlo ha terminado" in response.content.decode()


def test_a_redaction_is_found_under_its_own_conversation_only(
    talk: Talk, cast: Cast, consent: Any
) -> None:
    send(talk, cast)
    other = Conversation.objects.create(
        participant=consent.participant, consent=consent, created_by=cast.owner, engine="local"
    )
    address = f"/conversaciones/{other.pk}/tachados/{Redaction.objects.get().pk}/deshacer/"
    assert cast.client(cast.owner).post(address).status_code == 404


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0, "0:00,0"), (65.29, "1:05,2"), (4325.99, "1:12:05,9")]
)
def test_times_in_tenths(seconds: float, said: str) -> None:
    assert clock_tenths(seconds) == said
