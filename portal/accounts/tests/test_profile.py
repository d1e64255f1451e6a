from __future__ import annotations

import pytest
from pytest_django import Settings

from conftest import Cast
from portal.accounts import engines


@pytest.fixture(autouse=True)
def two_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    """The profile offers what `engines.choices` says; which those are is tested in speech."""
    monkeypatch.setattr(engines, "choices", lambda: [("local", "Aquí"), ("nube", "Fuera")])


def save(cast: Cast, **changes: str) -> object:
    values = {"name": "Ana Robles", "language": "es", "default_engine": "local", **changes}
    return cast.client(cast.owner).post("/perfil/", values, follow=True)


def test_a_profile_is_changed(cast: Cast) -> None:
    answer = save(cast, name="  Ana   María Robles ", language="en", default_engine="nube")
    cast.owner.refresh_from_db()
    assert cast.owner.name == "Ana María Robles"
    assert (cast.owner.language, cast.owner.default_engine) == ("en", "nube")
    assert '<html lang="en"' in answer.content.decode()  # type: ignore[attr-defined]


def test_saving_is_said(cast: Cast) -> None:
    assert "Su perfil se ha guardado." in save(cast).content.decode()  # type: ignore[attr-defined]


def test_a_name_is_needed_and_nothing_changes_without(cast: Cast) -> None:
    answer = save(cast, name="  ")
    assert answer.status_code == 422  # type: ignore[attr-defined]
    page = answer.content.decode()  # type: ignore[attr-defined]
    assert "Escriba su nombre." in page
    assert "Ana Robles" in page  # the menu still says who this is
    cast.owner.refresh_from_db()
    assert cast.owner.name == "Ana Robles"


def test_only_engines_that_work_can_be_chosen(cast: Cast) -> None:
    assert save(cast, default_engine="otro").status_code == 422  # type: ignore[attr-defined]


def test_it_can_be_left_to_the_team(cast: Cast) -> None:
    save(cast, default_engine="")
    cast.owner.refresh_from_db()
    assert cast.owner.default_engine == ""


def test_an_engine_that_no_longer_works_does_not_block_the_page(
    cast: Cast, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cast.owner.default_engine = "antiguo"
    cast.owner.save()
    assert cast.client(cast.owner).get("/perfil/").status_code == 200
    monkeypatch.setattr(engines, "choices", list)
    assert cast.client(cast.owner).get("/perfil/").status_code == 200
