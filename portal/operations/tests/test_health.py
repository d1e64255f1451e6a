from __future__ import annotations

import pytest
from django.db import OperationalError, connection
from django.test import Client


@pytest.mark.django_db
def test_it_answers_without_signing_in() -> None:
    response = Client().get("/salud/")
    assert (response.status_code, response.json()) == (200, {"status": "ok", "database": True})


@pytest.mark.django_db
def test_without_its_database_it_says_so_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken() -> None:
        raise OperationalError("password of portal")

    monkeypatch.setattr(connection, "cursor", broken)
    response = Client().get("/salud/")
    assert response.status_code == 503
    assert response.json() == {"status": "unavailable", "database": False}
