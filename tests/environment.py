"""The surroundings of a test run, laid before Django reads its settings (`-p tests.environment`).

A PostgreSQL server and a data folder of the run's own, both gone at its end: runs side by
side don't meet, and neither do the processes of one (pytest-xdist). PORTAL_DATABASE_URL or
PORTAL_DATA, when set, are used instead.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from portal.operations import database

_PROJECT = Path(__file__).resolve().parent.parent
_temporary = Path(tempfile.mkdtemp(prefix="portal-pruebas-"))
_own_data = _temporary / "data"
# A process of pytest-xdist inherits what the first one made for itself.
for name in os.environ.get("PORTAL_TESTS_OWN", "").split():
    del os.environ[name]
_own = [name for name in ("PORTAL_DATA", "PORTAL_DATABASE_URL") if name not in os.environ]
_own_server = "PORTAL_DATABASE_URL" in _own
os.environ["PORTAL_TESTS_OWN"] = " ".join(_own)


def _prepare() -> None:
    if "PORTAL_DATA" in _own:
        os.environ["PORTAL_DATA"] = str(_own_data)
        _own_data.mkdir(mode=0o700)
        # The models are large, and the same for every run.
        models = _PROJECT / "var" / "models"
        models.mkdir(parents=True, exist_ok=True)
        (_own_data / "models").symlink_to(models)
    if _own_server:
        database.ensure_running(_temporary, options=database.UNSAFE_BUT_FAST)
        os.environ["PORTAL_DATABASE_URL"] = database.embedded_url(_temporary)


_prepare()


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    from django.conf import settings

    # Tests need no collectstatic.
    settings.STORAGES["staticfiles"]["BACKEND"] = (
        "django.contrib.staticfiles.storage.StaticFilesStorage"
    )


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    if _own_server:
        database.stop(_temporary)
    shutil.rmtree(_temporary, ignore_errors=True)
