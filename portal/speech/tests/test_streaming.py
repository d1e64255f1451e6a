from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from portal.engine import EngineError
from portal.speech.audio import SAMPLE_RATE, decode
from portal.speech.engines.base import Audio, Options, Voice
from portal.speech.engines.local import LocalEngine
from portal.speech.short_windows import MARGIN, without_padding
from portal.speech.tests.conftest import tone
from tests.contracts.transcription import Heard, TranscriptStreamContract, fed

Sound = NDArray[np.float32]


@pytest.fixture(scope="module")
def sound(dialogue: Path) -> Sound:
    return np.concatenate([block[0] for block in decode(dialogue)])


@pytest.fixture(scope="module")
def samples(sound: Sound) -> tuple[Voice, Voice]:
    """The second and the first speaker of the dialogue, a few seconds each."""
    other = sound[int(5.6 * SAMPLE_RATE) : int(10.0 * SAMPLE_RATE)]
    one = sound[int(0.5 * SAMPLE_RATE) : int(5.1 * SAMPLE_RATE)]
    return Voice("usuario", other), Voice("empleado", one)


@pytest.mark.model
class TestLocalStream(TranscriptStreamContract):
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls, local: LocalEngine) -> LocalEngine:
        return local

    @pytest.fixture(scope="class")
    @classmethod
    def speech(cls, dialogue: Path) -> Path:
        return dialogue


@pytest.mark.model
def test_samples_of_one_voice_tell_nothing(
    local: LocalEngine, sound: Sound, samples: tuple[Voice, Voice]
) -> None:
    _, one = samples
    twice = (one, Voice("usuario", sound[int(10.5 * SAMPLE_RATE) : int(13.0 * SAMPLE_RATE)]))
    stream, heard = local.stream(options=Options(language="es", voices=twice)), Heard()
    assert stream.voices == {}
    fed(stream, sound, heard)
    heard.take(stream.close())
    assert heard.speakers == ["S1", "S2"] * 4


@pytest.mark.model
def test_a_sample_of_one_person_names_that_person(
    local: LocalEngine, sound: Sound, samples: tuple[Voice, Voice]
) -> None:
    stream, heard = local.stream(options=Options(language="es", voices=samples[:1])), Heard()
    fed(stream, sound, heard)
    heard.take(stream.close())
    assert heard.speakers == ["S1", "usuario"] * 4


@pytest.mark.model
def test_a_sample_without_speech_is_none(local: LocalEngine, samples: tuple[Voice, Voice]) -> None:
    quiet = Voice("empleado", np.zeros(5 * SAMPLE_RATE, np.float32))
    stream = local.stream(options=Options(language="es", voices=(samples[0], quiet)))
    assert stream.voices == {}


@pytest.mark.model
def test_the_final_pass_names_the_speakers_by_their_samples(
    local: LocalEngine, dialogue: Path, samples: tuple[Voice, Voice]
) -> None:
    heard = local.transcribe(Audio(dialogue), options=Options(language="es", voices=samples))
    assert [turn.speaker for turn in heard.turns] == ["empleado", "usuario"] * 4


@pytest.mark.model
def test_the_language_is_found(local: LocalEngine, sound: Sound) -> None:
    stream, heard = local.stream(options=Options()), Heard()
    fed(stream, sound[: 14 * SAMPLE_RATE], heard)
    heard.take(stream.close())
    assert "nacionalidad española" in heard.text


@pytest.mark.model
def test_one_speaker_needs_no_voices(local: LocalEngine, sound: Sound) -> None:
    stream, heard = local.stream(options=Options(language="es", speakers=1)), Heard()
    fed(stream, sound[: 14 * SAMPLE_RATE], heard)
    heard.take(stream.close())
    assert heard.speakers == ["S1"]
    assert stream.voices == {}


@pytest.mark.model
def test_heard_with_what_was_said_before_no_word_comes_twice(
    local: LocalEngine, sound: Sound
) -> None:
    """With room the seconds before are listened to again; their words stay as they are."""

    def words(*, room: bool) -> list[str]:
        stream, heard = local.stream(options=Options(language="es"), room=lambda: room), Heard()
        fed(stream, sound, heard)
        heard.take(stream.close())
        return re.findall(r"\w+", heard.text.lower())

    alone, together = words(room=False), words(room=True)
    assert SequenceMatcher(None, alone, together).ratio() > 0.9
    assert abs(len(alone) - len(together)) <= 3


@pytest.mark.model
def test_two_recordings_at_once_do_not_mix(local: LocalEngine, sound: Sound) -> None:
    def words(part: Sound) -> str:
        stream, heard = local.stream(options=Options(language="es")), Heard()
        fed(stream, part, heard)
        heard.take(stream.close())
        return heard.text

    parts = [sound[: 10 * SAMPLE_RATE], sound[10 * SAMPLE_RATE : 20 * SAMPLE_RATE]]
    alone = [words(part) for part in parts]
    with ThreadPoolExecutor(2) as executor:
        assert list(executor.map(words, parts)) == alone


@pytest.mark.model
def test_sound_that_is_no_voice_says_nothing(local: LocalEngine) -> None:
    stream, heard = local.stream(options=Options(language="es")), Heard()
    fed(stream, tone(6.0)[0] * 0.2, heard)
    heard.take(stream.close())
    assert heard.turns == []


def test_what_is_missing_is_said_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(EngineError):
        LocalEngine(models_dir=tmp_path, model="large-v3-turbo").stream(options=Options())


def test_padding_is_left_out_but_for_a_margin() -> None:
    features = np.zeros((80, 3000), np.float32)
    features[:, :501] = -0.3
    assert without_padding(features).shape == (80, 501 + MARGIN + 1)
    features[:, :2900] = -0.3
    assert without_padding(features).shape == (80, 3000)
    assert without_padding(np.zeros((80, 3000), np.float32)).shape == (80, MARGIN)
