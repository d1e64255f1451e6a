from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.speech.command import models, transcribe
from tests.servers.deepgram import Deepgram


@pytest.mark.model
def test_json_and_nothing_else_on_stdout_without_django(dialogue: Path, models_dir: Path) -> None:
    path = dialogue.with_name("participant_first.ogg")
    code = "from portal.speech.command import transcribe; transcribe()"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PORTAL_", "DJANGO_"))}
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), "--models-dir", str(models_dir)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    output = json.loads(done.stdout)
    assert output["engine"] == "local" and output["language"] == "es"
    assert [turn["speaker"] for turn in output["turns"]][:2] == ["usuario", "empleado"]


@pytest.mark.model
def test_plain_text(dialogue: Path, models_dir: Path) -> None:
    wanted = [str(dialogue.with_name("monologue.ogg")), "--format", "txt", "--speakers", "1"]
    result = CliRunner().invoke(transcribe, [*wanted, "--models-dir", str(models_dir)])
    assert result.exit_code == 0, result.output
    assert "Zaragoza" in result.stdout


def test_what_is_not_audio_is_said_in_one_sentence(tmp_path: Path, models_dir: Path) -> None:
    path = tmp_path / "note.txt"
    path.write_text("hola")
    result = CliRunner().invoke(transcribe, [str(path), "--models-dir", str(models_dir)])
    assert result.exit_code == 1
    assert "no es un audio" in result.stderr and "Traceback" not in result.output


def test_an_unknown_engine_is_refused(dialogue: Path) -> None:
    result = CliRunner().invoke(transcribe, [str(dialogue), "--engine", "nada"])
    assert result.exit_code == 1 and "nada" in result.stderr


def test_models_are_listed(models_dir: Path) -> None:
    result = CliRunner().invoke(models, ["list", "--models-dir", str(models_dir)])
    assert result.exit_code == 0
    assert "large-v3-turbo" in result.output and "* base" in result.output


def test_pulling_an_unknown_model_names_the_known_ones(tmp_path: Path) -> None:
    result = CliRunner().invoke(models, ["pull", "gigante", "--models-dir", str(tmp_path)])
    assert result.exit_code == 1 and "large-v3-turbo" in result.stderr


def test_an_engine_outside_takes_its_key_from_the_environment(dialogue: Path) -> None:
    server = Deepgram()
    variables = {"PORTAL_DEEPGRAM_API_KEY": server.key, "PORTAL_DEEPGRAM_URL": server.url}
    wanted = [str(dialogue), "--engine", "deepgram", "--language", "es"]
    with server.running():
        result = CliRunner().invoke(transcribe, wanted, env=variables)
        assert result.exit_code == 0, result.output
        assert json.loads(result.stdout)["engine"] == "deepgram"
        refused = CliRunner().invoke(transcribe, wanted, env={"PORTAL_DEEPGRAM_API_KEY": None})
    assert "Falta la clave de Deepgram." in refused.output
