"""The spoken conversations agree with their scripts: nobody re-made one without the other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import pytest

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "demo"
SPOKEN = [
    *((file, DEMO / "audio") for file in sorted((DEMO / "interviews").glob("*.json"))),
    *((file, Path(__file__).parent) for file in sorted((ROOT / "tests/audio/scripts").glob("*"))),
]


def read(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8"))


def said(turns: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(turn["speaker"], turn["text"]) for turn in turns]


@pytest.mark.parametrize(("script", "folder"), SPOKEN, ids=[file.stem for file, _ in SPOKEN])
def test_audio_and_reference_follow_the_script(script: Path, folder: Path) -> None:
    reference = read(folder / script.name)

    assert said(reference["turns"]) == said(read(script)["turns"])
    times = [time for turn in reference["turns"] for time in (turn["start"], turn["end"])]
    assert times == sorted(times)
    assert times[-1] < reference["duration"]
    with av.open(folder / f"{script.stem}.ogg") as audio:
        assert audio.duration is not None
        assert audio.duration / av.time_base == pytest.approx(reference["duration"], abs=0.05)


def test_every_conversation_belongs_to_somebody_of_the_office() -> None:
    office = read(DEMO / "people.json")
    employees = {person["email"] for person in office["employees"]}
    owner = {
        person[key]: {field: person[field] for field in ("name", "email", "phone")}
        for person in office["participants"]
        for key in ("interview", "upload")
        if key in person
    }
    interviews = [read(file) for file in (DEMO / "interviews").glob("*.json")]

    assert {interview["id"] for interview in interviews} == set(owner)
    for interview in interviews:
        assert interview["participant"] == owner[interview["id"]]
        assert interview["employee"] in employees
