"""Writes of employees' own data."""

from __future__ import annotations

from portal.accounts.models import Employee


def update_profile(
    *, employee: Employee, name: str, language: str, default_engine: str
) -> Employee:
    employee.name = name
    employee.language = language
    employee.default_engine = default_engine
    employee.save(update_fields=["name", "language", "default_engine"])
    return employee
