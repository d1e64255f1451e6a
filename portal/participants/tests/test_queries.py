from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from conftest import Cast
from portal.accounts.models import Employee
from portal.participants import queries
from portal.participants.models import Participant
from portal.participants.queries import Sort


def person(cast: Cast, name: str, **fields: object) -> Participant:
    values = {"email": f"{name.split()[0]}@example.org".lower(), "team": cast.team, **fields}
    return Participant.objects.create(name=name, created_by=cast.owner, **values)


def names(employee: Employee, **asked: object) -> list[str]:
    return [found.name for found in queries.list_page(employee, **asked)]  # type: ignore[arg-type]


def test_only_the_teams_of_an_employee_are_seen(cast: Cast, participant: Participant) -> None:
    for employee in (cast.owner, cast.teammate, cast.coordinator):
        assert participant in queries.visible_to(employee)
    assert not queries.visible_to(cast.stranger).exists()
    assert queries.list_row(cast.stranger, participant.pk) is None


def test_an_inactive_account_sees_nobody(cast: Cast, participant: Participant) -> None:
    cast.owner.is_active = False
    assert not queries.visible_to(cast.owner).exists()


@pytest.mark.parametrize(
    "text", ["fatima", "FÁTIMA", "belk", "belkacem fatima", "fb@EX", "600 11 22", "+34600"]
)
def test_filter_finds_by_name_email_and_phone(cast: Cast, text: str) -> None:
    person(cast, "Fátima Belkacem", phone="+34600112233", email="fb@example.org")
    person(cast, "Otro Nombre", phone="911")
    assert names(cast.owner, text=text) == ["Fátima Belkacem"]


def test_filter_takes_signs_literally(cast: Cast, participant: Participant) -> None:
    assert names(cast.owner, text="%") == []
    assert names(cast.owner, text="_") == []
    assert names(cast.owner, text="\\") == []


def test_orders(cast: Cast) -> None:
    now = timezone.now()
    for days, name in enumerate(["Zoe", "Álvaro", "bea", "Ñuño", "Óscar"]):
        person(cast, name, last_interaction_at=now - timedelta(days=days))
    alphabetical = ["Álvaro", "bea", "Ñuño", "Óscar", "Zoe"]
    assert names(cast.owner, sort=Sort.NAME) == alphabetical
    assert names(cast.owner, sort=Sort.NAME_BACKWARDS) == alphabetical[::-1]
    by_interaction = ["Zoe", "Álvaro", "bea", "Ñuño", "Óscar"]
    assert names(cast.owner) == by_interaction
    assert names(cast.owner, sort=Sort.FIRST_INTERACTION) == by_interaction[::-1]


@pytest.mark.parametrize("sort", list(Sort))
def test_pages_show_everybody_once(cast: Cast, sort: Sort) -> None:
    now = timezone.now()
    # Many share their name and their moment: the order must hold all the same.
    Participant.objects.bulk_create(
        Participant(
            team=cast.team,
            name=f"Ana {number % 7}",
            email="a@example.org",
            created_by=cast.owner,
            last_interaction_at=now - timedelta(days=number % 3),
        )
        for number in range(101)
    )
    seen: list[Participant] = []
    while page := queries.list_page(cast.owner, sort=sort, after=seen[-1].pk if seen else None):
        seen += page
    assert len(seen) == len({one.pk for one in seen}) == 101


def test_a_page_costs_the_same_with_5000(
    cast: Cast, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Participant.objects.bulk_create(
        Participant(
            team=cast.team if number % 2 else cast.other_team,
            name=f"Persona {number:04}",
            email=f"p{number}@example.org",
            created_by=cast.owner,
        )
        for number in range(5000)
    )
    with django_assert_num_queries(1):
        assert len(queries.list_page(cast.owner, sort=Sort.NAME)) == queries.PAGE_SIZE
    with django_assert_num_queries(1):
        assert names(cast.owner, text="persona 0777") == ["Persona 0777"]
    assert names(cast.owner, text="persona 0778") == []


def test_possible_duplicates(cast: Cast) -> None:
    known = person(cast, "María José Pérez", email="mj@example.org", phone="+34600112233")
    person(cast, "Dos Torres", email="otra@example.org")
    person(cast, "Maria Jose Perez", email="lejos@example.org", team=cast.other_team)

    def similar(name: str = "x", email: str = "x@x.es", phone: str = "") -> list[Participant]:
        return queries.similar_to(cast.owner, name=name, email=email, phone=phone)

    assert similar(name="maria josé peres") == [known]
    assert similar(email="MJ@example.org") == [known]
    assert similar(phone="600112233") == [known]
    assert similar(name="Lucía Ramos") == []
    assert (
        queries.similar_to(cast.owner, name=known.name, email=known.email, phone="", besides=known)
        == []
    )
