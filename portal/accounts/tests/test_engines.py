"""Which engines there are, from the settings of an installation."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pytest_django import Settings

from portal import environment
from portal.accounts import engines
from portal.speech.engines import ENGINES, get_engine


def test_every_engine_is_made_from_the_settings_and_has_a_name() -> None:
    for name in ENGINES:
        assert get_engine(name, **engines.options()[name]).name == name
        assert name in engines.NAMES


def test_a_key_is_all_that_is_needed(settings: Settings) -> None:
    assert "Falta la clave de Deepgram." in {why for _, _, why in engines.lacking()}
    settings.ENV = settings.ENV.model_copy(update={"deepgram_api_key": "0123456789"})
    assert "deepgram" in dict(engines.choices())
    assert "deepgram" not in {name for name, _, _ in engines.lacking()}


def test_keys_are_in_no_listing_of_the_settings() -> None:
    env = environment.Environment(deepgram_api_key="llave-secreta", openai_api_key="otra-secreta")
    assert "secreta" not in repr(env)


def test_looking_at_what_there_is_loads_no_sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")  # a role is looked for with botocore
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    code = (
        "import sys; from portal.speech.engines import available_engines;"
        "available_engines({'aws': {'bucket': 'abc'}, 'deepgram': {'api_key': 'k'},"
        " 'openai': {'api_key': 'k'}});"
        "heavy = {'boto3', 'botocore', 'deepgram', 'openai', 'amazon_transcribe', 'awscrt', 'av'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_DEFAULT_REGION": "eu-south-2",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    yield
    server.stop()


def test_a_setting_can_be_kept_in_secrets_manager(
    aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = boto3.client("secretsmanager")
    client.create_secret(Name="portal/deepgram", SecretString="clave-de-deepgram")
    others = json.dumps({"openai": "clave-de-openai"})
    client.create_secret(Name="portal/otros", SecretString=others)
    monkeypatch.setenv("PORTAL_DEEPGRAM_API_KEY_SECRET", "portal/deepgram")
    monkeypatch.setenv("PORTAL_OPENAI_API_KEY_SECRET", "portal/otros#openai")
    env = environment.read()
    assert (env.deepgram_api_key, env.openai_api_key) == ("clave-de-deepgram", "clave-de-openai")
    monkeypatch.setenv("PORTAL_OPENAI_API_KEY_SECRET", "portal/otros#nada")
    with pytest.raises(SystemExit, match="PORTAL_OPENAI_API_KEY_SECRET"):
        environment.read()
    monkeypatch.setenv("PORTAL_OPENAI_API_KEY", "directa")
    with pytest.raises(SystemExit, match="deje una de las dos"):
        environment.read()
