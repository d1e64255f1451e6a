"""AWS is offered where there are credentials for it, and a machine that has none says so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.speech.engines import aws_credentials
from portal.speech.engines.aws import AWSEngine
from tests.servers.http import Answer, Request, Server

ENGINE = AWSEngine(bucket="nube")


class Roles(Server):
    """The service of a machine of AWS that tells the keys of its role."""

    def answer(self, request: Request) -> Answer:
        if request.path.endswith("/api/token"):
            return Answer("token")
        if request.path.endswith("/security-credentials/"):
            return Answer(1)  # its role is called so
        keys = {"AccessKeyId": "key", "SecretAccessKey": "secret", "Token": "token"}
        return Answer({"Code": "Success", "Expiration": "2999-01-01T00:00:00Z", **keys})


@pytest.fixture(autouse=True)
def nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No keys, no files, and no machine of AWS."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    aws_credentials.forget()
    yield
    aws_credentials.forget()


@pytest.fixture
def roles(monkeypatch: pytest.MonkeyPatch) -> Iterator[Roles]:
    server = Roles()
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.url)
    with server.running():
        yield server


def test_a_bucket_is_not_enough_and_keys_are(monkeypatch: pytest.MonkeyPatch) -> None:
    [problem] = ENGINE.check()
    assert "credenciales" in problem.message and "AWS_ACCESS_KEY_ID" in problem.hint
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert ENGINE.check() == []


def test_so_are_those_of_a_profile(tmp_path: Path) -> None:
    keys = "[default]\naws_access_key_id = key\naws_secret_access_key = secret\n"
    (tmp_path / "credentials").write_text(keys)
    assert ENGINE.check() == []


@pytest.mark.parametrize(
    ("name", "value"), [("AWS_ACCESS_KEY_ID", "half a key"), ("AWS_PROFILE", "of nobody")]
)
def test_what_cannot_be_read_are_no_credentials(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert len(ENGINE.check()) == 1


def test_the_role_of_a_machine_is_asked_for_once(
    roles: Roles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws_credentials, "REMEMBERED", 1e9)
    assert ENGINE.check() == [] == AWSEngine(bucket="otra").check()
    assert len(roles.requests) == 3


def test_a_machine_that_does_not_answer_is_not_waited_for(
    roles: Roles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aws_credentials, "REMEMBERED", 1e9)
    roles.faults.delay = 0.2
    monkeypatch.setattr(aws_credentials, "PATIENCE", 0.01)
    assert len(ENGINE.check()) == 1
    monkeypatch.setattr(aws_credentials, "PATIENCE", 20.0)
    assert ENGINE.check() == []
    assert len(roles.requests) == 3
