from __future__ import annotations

import pytest

from portal.accounts.models import Employee, Membership
from portal.operations.employees import AccountError, add_employee

pytestmark = pytest.mark.django_db

PASSWORD = "una frase larga para entrar"


def add(email: str = "ana@example.org", password: str = PASSWORD) -> Employee:
    return add_employee(
        email=email,
        name="Ana Robles",
        team="Centro",
        password=password,
        coordinator=True,
        administrator=True,
    )


def test_the_first_administrator_coordinates_a_new_team() -> None:
    employee = add("Ana@Example.org")
    assert employee.email == "ana@example.org"
    assert employee.check_password(PASSWORD)
    assert employee.is_staff
    membership = employee.memberships.get()
    assert (membership.team.name, membership.role) == ("Centro", Membership.Role.COORDINATOR)


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("ana", PASSWORD, "correo"),
        ("ana@example.org", "12345", "contraseña"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(
    email: str, password: str, said: str
) -> None:
    with pytest.raises(AccountError, match=said):
        add(email, password)
    assert not Employee.objects.exists()


def test_an_address_has_one_account() -> None:
    add()
    with pytest.raises(AccountError):
        add()
    assert Employee.objects.count() == 1
