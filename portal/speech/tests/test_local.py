from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from portal.engine import EngineError
from portal.speech import whisper
from portal.speech.audio import decode
from portal.speech.engines import ENGINES, available_engines, get_engine
from portal.speech.engines.base import Audio, Options, Word
from portal.speech.engines.local import LocalEngine
from portal.speech.tests.conftest import tone
from tests.contracts.transcription import TranscriptionEngineContract

HEAVY = ("faster_whisper", "ctranslate2", "onnxruntime", "av", "scipy", "huggingface_hub")


@pytest.mark.model
class TestLocalEngine(TranscriptionEngineContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, local: LocalEngine) -> LocalEngine:
        return local

    @pytest.fixture(scope="class")
    @classmethod
    def unusable(cls, tmp_path_factory: pytest.TempPathFactory) -> LocalEngine:
        empty = tmp_path_factory.mktemp("models")
        return LocalEngine(models_dir=empty, model="large-v3-turbo")

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls, dialogue: Path) -> Path:
        return dialogue


def test_importing_the_engine_loads_no_runtime() -> None:
    code = (
        "import sys, portal.speech.engines.local, portal.speech.command;"
        "from portal.speech.engines import available_engines; available_engines();"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_registry_names_engines() -> None:
    assert next(iter(ENGINES)) == "local"
    assert get_engine("local", cpu_threads=1).name == "local"
    with pytest.raises(EngineError):
        get_engine("telepatía")


def test_only_usable_engines_are_available(tmp_path: Path, models_dir: Path) -> None:
    assert available_engines({"local": {"models_dir": models_dir}}) == ["local"]
    missing = {"local": {"models_dir": tmp_path, "model": "medium"}}
    assert available_engines(missing) == []


def test_a_missing_speaker_model_is_a_limit_not_a_problem(tmp_path: Path) -> None:
    engine = LocalEngine(models_dir=tmp_path)
    assert engine.check() == []
    (limit,) = engine.limits()
    assert "hablan" in limit.message


@pytest.mark.model
def test_the_language_is_found(local: LocalEngine, dialogue: Path) -> None:
    monologue = Audio(dialogue.with_name("monologue.ogg"))
    transcript = local.transcribe(monologue, options=Options())
    assert transcript.language == "es"
    assert {turn.speaker for turn in transcript.turns} == {"S1"}
    assert "Zaragoza" in " ".join(turn.text for turn in transcript.turns)


@pytest.mark.model
def test_pieces_join_without_loss(
    local: LocalEngine, dialogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from portal.speech import pieces

    whole = pieces.pieces
    monkeypatch.setattr(pieces, "pieces", lambda blocks: whole(blocks, seconds=12.0))
    transcript = local.transcribe(Audio(dialogue), options=Options(language="es"))
    assert [turn.speaker for turn in transcript.turns] == ["S1", "S2"] * 4
    assert transcript.turns[-1].end == pytest.approx(29.4, abs=0.6)


@pytest.mark.model
def test_a_turn_that_whisper_passes_over_is_heard_again(
    local: LocalEngine, dialogue: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recognise = whisper.recognise

    def careless(*arguments: Any) -> tuple[Iterator[list[Word]], str | None]:
        segments, language = recognise(*arguments)
        return ([word for word in part if not 10 < word.start < 13] for part in segments), language

    monkeypatch.setattr(whisper, "recognise", careless)
    transcript = local.transcribe(Audio(dialogue), options=Options(language="es"))
    assert [turn.speaker for turn in transcript.turns] == ["S1", "S2"] * 4
    assert 10 < transcript.turns[2].start < 11 and 12 < transcript.turns[2].end < 13.5


@pytest.mark.model
def test_one_person_per_channel(
    local: LocalEngine, dialogue: Path, audio_file: Callable[..., Path]
) -> None:
    sound = np.concatenate([block[0] for block in decode(dialogue)])
    # Eight turns; the pauses between them are known from the reference.
    changes = [5.3, 10.2, 13.2, 17.1, 19.1, 23.1, 25.5]
    side = np.searchsorted(np.array(changes), np.arange(len(sound)) / 16_000) % 2
    signal = np.stack((sound * (side == 0), sound * (side == 1))).astype(np.float32)
    path = audio_file("stereo.flac", signal=signal, rate=16_000)
    transcript = local.transcribe(Audio(path), options=Options(language="es"))
    assert [turn.speaker for turn in transcript.turns] == ["S1", "S2"] * 4


@pytest.mark.model
def test_nobody_speaks(local: LocalEngine, audio_file: Callable[..., Path]) -> None:
    path = audio_file("tone.wav", signal=tone(6.0) * 0.2, rate=16_000)
    with pytest.raises(EngineError) as caught:
        local.transcribe(Audio(path), options=Options(language="es"))
    assert "ninguna palabra" in caught.value.public_message


@pytest.mark.model
def test_the_model_is_loaded_once(local: LocalEngine, dialogue: Path) -> None:
    whisper._load.cache_clear()
    short = Audio(dialogue.with_name("participant_first.ogg"))
    for _ in range(2):
        local.transcribe(short, options=Options(language="es", speakers=1))
    assert whisper._load.cache_info().misses == 1


def test_a_file_that_is_gone(local: LocalEngine, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="No se encuentra"):
        local.transcribe(Audio(tmp_path / "gone.wav"), options=Options())
