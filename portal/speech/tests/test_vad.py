from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from portal.speech.audio import SAMPLE_RATE, decode
from portal.speech.vad import STEP, SpeechDetector, speech_probability

pytestmark = pytest.mark.model


def test_bit_by_bit_is_as_at_once(dialogue: Path) -> None:
    from faster_whisper.vad import get_vad_model

    whole = np.concatenate([block[0] for block in decode(dialogue)])[: 20 * SAMPLE_RATE]
    # faster-whisper blanks the end of what it is given: a step more than is compared.
    expected = get_vad_model()(np.pad(whole, (0, STEP))).reshape(-1)[: len(whole) // STEP]
    assert np.allclose(speech_probability(whole)[: len(expected)], expected, atol=1e-4)
    detector, found, start = SpeechDetector(), [], 0
    rng = np.random.default_rng(2)
    while start < len(whole):
        size = int(rng.choice((1, 100, 511, 512, 513, 4000, 32_000)))
        found.append(detector.feed(whole[start : start + size]))
        start += size
    assert np.allclose(np.concatenate(found), expected, atol=1e-4)


def test_less_than_a_step_says_nothing_yet() -> None:
    detector = SpeechDetector()
    assert len(detector.feed(np.zeros(STEP - 1, np.float32))) == 0
    assert len(detector.feed(np.zeros(1, np.float32))) == 1
