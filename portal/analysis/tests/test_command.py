from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from portal.analysis.command import ask, assess
from portal.analysis.questionnaire import default_questionnaire
from tests.contracts.analysis import TALK


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    path = tmp_path / "charla.json"
    turns = [{"speaker": t.speaker, "text": t.text, "start": 0.0} for t in TALK]
    path.write_text(json.dumps({"turns": turns, "language": "es"}), encoding="utf-8")
    return path


def run(command: click.Command, *arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(command, [str(a) for a in arguments])
    return result.exit_code, result.stdout, result.stderr


def test_assess_prints_all_questions(transcript: Path) -> None:
    code, out, err = run(assess, transcript)
    output = json.loads(out)
    assert (code, err) == (0, "")
    assert set(output) == {"title", "summary", "answers"}
    assert [a["question"] for a in output["answers"]] == [
        q.id for q in default_questionnaire().questions
    ]
    for answer in output["answers"]:
        assert set(answer) == {"question", "state", "answer", "evidence", "confidence"}
    registered = output["answers"][1]
    assert registered["state"] == "answered"
    assert {"turn", "quote"} == set(registered["evidence"][0])


def test_assess_takes_another_questionnaire(transcript: Path, tmp_path: Path) -> None:
    form = tmp_path / "otro.toml"
    form.write_text(
        '[[domains]]\nid = "d"\nname = "D"\n[[questions]]\nid = "padron"\ndomain = "d"\n'
        'text = "¿Está usted empadronado?"\n',
        encoding="utf-8",
    )
    code, out, _ = run(assess, transcript, "--questionnaire", form)
    assert code == 0
    assert [a["question"] for a in json.loads(out)["answers"]] == ["padron"]


def test_ask_finds_and_abstains(transcript: Path) -> None:
    found = json.loads(run(ask, transcript, "¿En qué calle está empadronada?")[1])
    assert found["found"] is True
    assert found["evidence"][0]["turn"] == 3
    missing = json.loads(run(ask, transcript, "¿Qué medicación toma?")[1])
    assert missing == {"found": False, "answer": "", "evidence": []}


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"turns": 3}', b'{"turns": [{"speaker": "usuario"}]}', b"\xff\xfe"],
)
def test_unreadable_transcripts_exit_with_2(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "mala.json"
    path.write_bytes(content)
    for command, more in ((assess, ()), (ask, ("¿Qué?",))):
        code, out, err = run(command, path, *more)
        assert (code, out) == (2, "")
        assert "mala.json" in err


def test_missing_files_and_unknown_engines_exit_with_2(transcript: Path, tmp_path: Path) -> None:
    assert run(assess, tmp_path / "nada.json")[0] == 2
    assert run(assess, transcript, "--questionnaire", tmp_path / "nada.json")[0] == 2
    code, out, err = run(assess, transcript, "--engine", "magia")
    assert (code, out) == (2, "")
    assert "extractive" in err


def test_an_empty_transcript_is_read(tmp_path: Path) -> None:
    path = tmp_path / "vacia.json"
    path.write_text('{"turns": []}', encoding="utf-8")
    code, out, _ = run(assess, path)
    assert code == 0
    assert {a["state"] for a in json.loads(out)["answers"]} == {"unasked"}
