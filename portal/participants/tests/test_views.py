from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from conftest import Cast
from portal.accounts.models import Team
from portal.participants import queries
from portal.participants.models import Participant
from portal.participants.templatetags.participants import phone

HTMX = {"HX-Request": "true"}


def details(**changes: str) -> dict[str, str]:
    return {"name": "Rosa Peña", "email": "rosa@example.org", "phone": "600 11 22 33", **changes}


def test_home_teaches_when_there_is_nobody(cast: Cast) -> None:
    page = cast.client(cast.owner).get("/").content.decode()
    assert "Añada a la primera persona" in page


def test_home_opens_the_last_interaction(cast: Cast, participant: Participant) -> None:
    answer = cast.client(cast.teammate).get("/")
    assert answer["Location"] == reverse("conversations:participant", args=[participant.pk])


def test_a_person_is_added_and_opened(cast: Cast) -> None:
    client = cast.client(cast.owner)
    answer = client.post("/personas/nueva/", details(), headers=HTMX)
    made = Participant.objects.get()
    assert reverse("conversations:participant", args=[made.pk]) in answer["HX-Location"]
    assert (made.name, made.phone, made.team) == ("Rosa Peña", "600112233", cast.team)
    assert queries.list_page(cast.teammate)[0] == made


def test_it_works_as_a_plain_page_too(cast: Cast) -> None:
    client = cast.client(cast.owner)
    page = client.get("/personas/nueva/").content.decode()
    assert "<h1" in page and "<html" in page
    assert "<html" not in client.get("/personas/nueva/", headers=HTMX).content.decode()
    assert client.post("/personas/nueva/", details()).status_code == 302


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "Escriba el nombre de la persona."),
        ({"email": ""}, "Escriba su correo electrónico."),
        ({"email": "rosa"}, "Este correo no está completo"),
        ({"phone": "no tiene"}, "Escriba el teléfono solo con números"),
    ],
)
def test_mistakes_are_explained(cast: Cast, changes: dict[str, str], sentence: str) -> None:
    answer = cast.client(cast.owner).post("/personas/nueva/", details(**changes), headers=HTMX)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Participant.objects.exists()


def test_a_possible_duplicate_is_shown_and_not_blocked(
    cast: Cast, participant: Participant
) -> None:
    client = cast.client(cast.owner)
    same = details(name="Fatima Belkasem", email="otra@example.org")
    page = client.post("/personas/nueva/", same, headers=HTMX).content.decode()
    assert "Ya hay una persona parecida" in page
    assert reverse("conversations:participant", args=[participant.pk]) in page
    assert Participant.objects.count() == 1
    shown = "|".join(["Fatima Belkasem", "otra@example.org", "600112233"])
    assert shown in page
    answer = client.post("/personas/nueva/", {**same, "confirmed": shown}, headers=HTMX)
    assert "HX-Location" in answer
    assert Participant.objects.count() == 2


def test_other_details_are_compared_again(cast: Cast, participant: Participant) -> None:
    client = cast.client(cast.owner)
    other = details(email=participant.email, confirmed="Rosa|rosa@example.org|")
    page = client.post("/personas/nueva/", other, headers=HTMX).content.decode()
    assert "Ya hay una persona parecida" in page


def test_duplicates_of_other_teams_are_not_told(cast: Cast, participant: Participant) -> None:
    same = details(name=participant.name, email=participant.email)
    answer = cast.client(cast.stranger).post("/personas/nueva/", same, headers=HTMX)
    assert "HX-Location" in answer


def test_those_of_several_teams_choose(cast: Cast) -> None:
    cast.other_team.memberships.create(employee=cast.owner)
    third = Team.objects.create(name="Oficina Sur")
    client = cast.client(cast.owner)
    assert "Elija el equipo" in client.post("/personas/nueva/", details()).content.decode()
    refused = client.post("/personas/nueva/", details(team=str(third.pk)))
    assert "no es uno de los suyos" in refused.content.decode()
    client.post("/personas/nueva/", details(team=str(cast.other_team.pk)))
    assert Participant.objects.get().team == cast.other_team


def test_without_a_team_it_is_said_what_to_do(cast: Cast) -> None:
    cast.owner.memberships.all().delete()
    page = cast.client(cast.owner).get("/personas/nueva/").content.decode()
    assert "no está en ningún equipo" in page


def test_details_are_edited(cast: Cast, participant: Participant) -> None:
    page = f"/personas/{participant.pk}/editar/"
    answer = cast.client(cast.teammate).post(page, details(), headers=HTMX)
    assert "HX-Location" in answer
    participant.refresh_from_db()
    assert (participant.name, participant.email) == ("Rosa Peña", "rosa@example.org")
    assert participant.team == cast.team


def test_a_mistake_while_editing_keeps_what_was_there(cast: Cast, participant: Participant) -> None:
    page = f"/personas/{participant.pk}/editar/"
    answer = cast.client(cast.owner).post(page, details(email="x"), headers=HTMX)
    assert answer.status_code == 422
    participant.refresh_from_db()
    assert participant.email == "fatima@example.org"


Address = Callable[[Participant], str]


@pytest.mark.parametrize(
    "address",
    [
        lambda person: "/",
        lambda person: "/personas/",
        lambda person: "/personas/nueva/",
        lambda person: f"/personas/{person.pk}/editar/",
    ],
)
def test_cast_over_every_address(cast: Cast, participant: Participant, address: Address) -> None:
    url = address(participant)
    for employee in (cast.owner, cast.teammate, cast.coordinator):
        answer = cast.client(employee).get(url)
        assert answer.status_code in (200, 302)
    assert participant.name not in cast.client(cast.stranger).get(url).content.decode()
    if str(participant.pk) in url:
        assert cast.client(cast.stranger).get(url).status_code == 404
        assert cast.client(cast.stranger).post(url, details()).status_code == 404
        assert cast.client(cast.owner).get(address(Participant(pk=uuid4()))).status_code == 404
    assert Client().get(url)["Location"].startswith("/cuenta/login/")


def test_the_list_filters_orders_and_remembers(cast: Cast, participant: Participant) -> None:
    Participant.objects.create(
        team=cast.team, name="Zoe Abad", email="zoe@example.org", created_by=cast.owner
    )
    client = cast.client(cast.owner)
    rows = client.get("/personas/", {"q": "belkacem"}, headers=HTMX).content.decode()
    assert participant.name in rows and "Zoe" not in rows
    rows = client.get("/personas/", {"sort": "a-z"}, headers=HTMX).content.decode()
    assert rows.index(participant.name) < rows.index("Zoe")
    page = client.get("/personas/").content.decode()
    assert page.index(participant.name) < page.index("Zoe")
    assert '<option value="a-z" selected>' in page
    nobody = client.get("/personas/", {"q": "nadie"}, headers=HTMX).content.decode()
    assert "Nadie coincide" in nobody


def test_strange_questions_do_no_harm(cast: Cast, participant: Participant) -> None:
    client = cast.client(cast.owner)
    for asked in (
        {"sort": "nada"}, {"after": "x"}, {"after": str(uuid4())}, {"current": "'\"><"},
        {"q": "\x00"}, {"q": "<script>"},
    ):  # fmt: skip
        answer = client.get("/personas/", asked, headers=HTMX)
        assert answer.status_code == 200
        assert "<script>" not in answer.content.decode()


def test_the_list_costs_the_same_however_many(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = cast.client(cast.owner)
    Participant.objects.bulk_create(
        Participant(team=cast.team, name=f"P {n}", email="p@e.org", created_by=cast.owner)
        for n in range(90)
    )
    # session, employee, page
    with django_assert_num_queries(3):
        first = client.get("/personas/", headers=HTMX).content.decode()
    assert first.count('class="person"') == queries.PAGE_SIZE
    last = queries.list_page(cast.owner)[-1]
    with django_assert_num_queries(4):
        second = client.get("/personas/", {"after": str(last.pk)}, headers=HTMX)
    assert second.content.decode().count('class="person"') == queries.PAGE_SIZE


def test_whoever_is_open_is_in_sight(cast: Cast) -> None:
    Participant.objects.bulk_create(
        Participant(team=cast.team, name=f"P {n}", email="p@e.org", created_by=cast.owner)
        for n in range(60)
    )
    far = queries.listed(cast.owner)[55]
    asked = {"current": str(far.pk)}
    rows = cast.client(cast.owner).get("/personas/", asked, headers=HTMX).content.decode()
    assert rows.count('aria-current="page"') == 1


def test_other_pages_parameters_are_not_the_lists(cast: Cast, participant: Participant) -> None:
    page = cast.client(cast.owner).get("/perfil/", {"q": "nadie"}).content.decode()
    assert participant.name in page
    page = cast.client(cast.owner).get("/personas/", {"q": "nadie"}).content.decode()
    assert participant.name not in page


def test_a_phone_is_written_for_people() -> None:
    assert phone("+34600112233") == "+34 600 112 233"
    assert phone("600112233") == "600 112 233"
    assert phone("+441632960000") == "+441632960000"
    assert phone("") == ""
