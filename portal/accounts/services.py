"""Writes of employees' own data."""

from __future__ import annotations

from portal.accounts.models import Employee


def update_profile(
    *,
    employee: Employee,
    name: str,
    language: str,
    default_engine: str,
    browser_notifications: bool,
    email_digest: bool,
) -> Employee:
    employee.name = name
    employee.language = language
    employee.default_engine = default_engine
    employee.browser_notifications = browser_notifications
    employee.email_digest = email_digest
    employee.save(
        update_fields=[
            "name",
            "language",
            "default_engine",
            "browser_notifications",
            "email_digest",
        ]
    )
    return employee
