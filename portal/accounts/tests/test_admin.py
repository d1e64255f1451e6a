from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from conftest import Cast
from portal.accounts.admin import site
from portal.accounts.models import Employee, Membership, Team

ADMIN = "/administracion/"


@pytest.fixture
def administrator(db: None) -> Employee:
    return Employee.objects.create_superuser("admin@example.org", None, name="Eva Admin")


def test_only_accounts_and_teams_are_there() -> None:
    assert set(site._registry) == {Employee, Team, Membership}


def test_it_is_for_administrators(cast: Cast, administrator: Employee) -> None:
    assert cast.client(administrator).get(ADMIN).status_code == 200
    assert cast.client(cast.coordinator).get(ADMIN, follow=True).status_code == 403
    answer = Client().get(ADMIN, follow=True)
    assert answer.redirect_chain[-1][0].startswith("/cuenta/login/")


def test_an_account_is_made(administrator: Employee) -> None:
    client = Client()
    client.force_login(administrator)
    answer = client.post(
        f"{ADMIN}accounts/employee/add/",
        {
            "email": "Nueva@Example.org",
            "name": "Nueva Persona",
            "usable_password": "true",
            "password1": "una frase larga y segura",
            "password2": "una frase larga y segura",
            "memberships-TOTAL_FORMS": "0",
            "memberships-INITIAL_FORMS": "0",
        },
    )
    assert answer.status_code == 302, answer.content.decode()
    made = Employee.objects.get(email="nueva@example.org")
    assert made.check_password("una frase larga y segura")
    assert not made.is_staff


def test_a_team_gets_an_engine_and_can_do_without_what_is_outside(
    cast: Cast, administrator: Employee
) -> None:
    client = cast.client(administrator)
    page = f"{ADMIN}accounts/team/{cast.team.pk}/change/"
    sent = {
        "name": cast.team.name,
        "default_engine": "local",
        "analysis_engine": "llm",
        "monthly_cap": "20",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }
    assert "En este equipo" in client.get(page).content.decode()
    assert client.post(page, {**sent, "default_engine": "nadie"}).status_code == 200
    assert client.post(page, sent).status_code == 302
    cast.team.refresh_from_db()
    assert not cast.team.external_services
    assert (cast.team.analysis_engine, cast.team.monthly_cap) == ("llm", 20)


def test_a_lesser_administrator_cannot_become_a_full_one(
    cast: Cast, administrator: Employee
) -> None:
    lesser = cast.teammate
    lesser.is_staff = True
    lesser.save()
    lesser.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    client = cast.client(lesser)
    page = f"{ADMIN}accounts/employee/{lesser.pk}/change/"
    client.post(
        page,
        {
            "email": lesser.email,
            "name": "Bruno",
            "language": "es",
            "is_active": "on",
            "is_staff": "on",
            "is_superuser": "on",
            "memberships-TOTAL_FORMS": "0",
            "memberships-INITIAL_FORMS": "0",
        },
    )
    lesser.refresh_from_db()
    assert lesser.name == "Bruno"
    assert not lesser.is_superuser
    password_page = f"{ADMIN}accounts/employee/{administrator.pk}/password/"
    assert client.get(password_page).status_code == 403


def test_accounts_are_not_deleted(cast: Cast, administrator: Employee) -> None:
    page = f"{ADMIN}accounts/employee/{cast.owner.pk}/delete/"
    assert cast.client(administrator).post(page, {"post": "yes"}).status_code == 403
