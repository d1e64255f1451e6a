"""Accounts made from the shell: the first administrator, and whoever comes after."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from portal.accounts.models import Employee, Membership, Team


class AccountError(Exception):
    """The account was not made; the message says why."""


@transaction.atomic
def add_employee(
    *, email: str, name: str, team: str, password: str, coordinator: bool, administrator: bool
) -> Employee:
    """Make the account, and the team when there is none of that name. Raises AccountError."""
    employee = Employee(email=Employee.objects.normalize_email(email).lower().strip(), name=name)
    employee.is_staff = employee.is_superuser = administrator
    try:
        validate_password(password, employee)
        employee.set_password(password)
        employee.full_clean()
    except ValidationError as error:
        raise AccountError("\n".join(error.messages)) from None
    employee.save()
    Membership.objects.create(
        team=Team.objects.get_or_create(name=team)[0],
        employee=employee,
        role=Membership.Role.COORDINATOR if coordinator else Membership.Role.MEMBER,
    )
    return employee
