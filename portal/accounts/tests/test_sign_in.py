from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from conftest import PASSWORD, Cast

LOGIN = "/cuenta/login/"


@pytest.fixture(autouse=True)
def fresh_rate_limits(db: None) -> None:
    cache.clear()


def sign_in(client: Client, email: str, password: str = PASSWORD) -> object:
    return client.post(LOGIN, {"login": email, "password": password})


def test_an_employee_signs_in_and_out(cast: Cast) -> None:
    client = Client()
    assert sign_in(client, "ANA@example.org").status_code == 302  # type: ignore[attr-defined]
    assert client.get("/perfil/").status_code == 200
    client.post(reverse("account_logout"))
    answer = client.get("/perfil/")
    assert answer.status_code == 302
    assert answer["Location"] == f"{LOGIN}?next=/perfil/"


def test_a_wrong_password_says_so_plainly(cast: Cast) -> None:
    answer = Client().post(LOGIN, {"login": cast.owner.email, "password": "otra"})
    assert "El correo o la contraseña no son correctos" in answer.content.decode()


def test_guessing_is_stopped_even_with_the_right_password(cast: Cast) -> None:
    for _ in range(5):
        sign_in(Client(), cast.owner.email, "otra")
    answer = Client().post(LOGIN, {"login": cast.owner.email, "password": PASSWORD})
    assert "demasiados intentos" in answer.content.decode()
    # Nobody else has to wait for it.
    assert sign_in(Client(), cast.teammate.email).status_code == 302  # type: ignore[attr-defined]


def test_a_deactivated_account_does_not_get_in(cast: Cast) -> None:
    cast.owner.is_active = False
    cast.owner.save()
    client = Client()
    sign_in(client, cast.owner.email)
    assert client.get("/perfil/").status_code == 302


def test_nobody_signs_up(db: None) -> None:
    answer = Client().get(reverse("account_signup"))
    assert "Las cuentas las crea su equipo" in answer.content.decode()
    answer = Client().post(
        reverse("account_signup"),
        {"email": "nueva@example.org", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert "Las cuentas las crea su equipo" in answer.content.decode()
    assert "registr" not in Client().get(LOGIN).content.decode()


def test_a_new_password_by_mail(cast: Cast) -> None:
    client = Client()
    client.post(reverse("account_reset_password"), {"email": cast.owner.email})
    message = mail.outbox[0]
    assert message.to == [cast.owner.email]
    assert "ha pedido una contraseña nueva" in message.body
    link = re.search(r"http://[^/]+(/\S+)", message.body)
    assert link
    form = client.get(link[1], follow=True)
    assert "Poner una contraseña nueva" in form.content.decode()
    new = "otra frase larga para entrar"
    done = client.post(form.request["PATH_INFO"], {"password1": new, "password2": new}, follow=True)
    assert "Ya tiene contraseña nueva" in done.content.decode()
    assert sign_in(Client(), cast.owner.email, new).status_code == 302  # type: ignore[attr-defined]
    again = Client().get(link[1], follow=True)
    assert "Este enlace ya no sirve" in again.content.decode()


def test_an_unknown_address_learns_nothing(cast: Cast) -> None:
    known = Client().post(reverse("account_reset_password"), {"email": cast.owner.email})
    unknown = Client().post(reverse("account_reset_password"), {"email": "nadie@example.org"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert len(mail.outbox) == 1


def test_without_mail_the_page_is_honest(db: None, settings: Settings) -> None:
    settings.ENV = settings.ENV.model_copy(update={"smtp_host": None})
    page = Client().get(reverse("account_reset_password")).content.decode()
    assert "todavía no envía correos" in page
    settings.ENV = settings.ENV.model_copy(update={"smtp_host": "mail.example.org"})
    page = Client().get(reverse("account_reset_password")).content.decode()
    assert "todavía no envía correos" not in page


def test_what_was_seen_is_not_kept_by_the_browser(cast: Cast) -> None:
    assert "no-store" in cast.client(cast.owner).get("/perfil/")["Cache-Control"]


def test_a_fragment_without_a_session_is_no_sign_in_page(db: None) -> None:
    answer = Client().get("/personas/", headers={"HX-Request": "true"})
    assert answer.status_code == 401
    assert "<form" not in answer.content.decode()


@pytest.mark.parametrize(
    "name",
    [
        "account_email",
        "account_set_password",
        "account_reauthenticate",
        "account_change_password",
        "account_logout",
    ],
)
def test_every_page_of_the_account_wears_the_portals_clothes(cast: Cast, name: str) -> None:
    client = Client()
    sign_in(client, cast.owner.email)
    page = client.get(reverse(name), follow=True).content.decode()
    assert "web/tokens.css" in page
