from __future__ import annotations

import numpy as np
import pytest

from portal.speech.audio import SAMPLE_RATE
from portal.speech.channels import ChannelBalance
from portal.speech.engines.base import Word

WORDS = tuple(Word("sí", i * 1.0, i * 1.0 + 0.8, 0.9) for i in range(40))
TURNS = [0, 1, 1, 0] * 10
"""Who says each word; at every loudness between -6 and 6 dB."""


def levels(*, crosstalk: float, right: float = 0.0, second: float = 0.0) -> np.ndarray:
    """(2, words) in dB: each microphone hears the other person weaker by ``crosstalk``; the right
    one is weaker by ``right``, the second person by ``second``."""
    said = np.linspace(-6, 6, len(WORDS))
    first = np.array(TURNS) == 0
    said = np.where(first, said, said + second)
    return np.stack(
        (np.where(first, said, said + crosstalk), np.where(first, said + crosstalk, said) + right)
    )


def heard(levels: np.ndarray) -> ChannelBalance:
    """Of noise with such levels for every second."""
    rng = np.random.default_rng(5)
    sound = rng.normal(0, 0.03, (2, len(WORDS), SAMPLE_RATE)) * 10 ** (levels / 20)[:, :, None]
    sound[:, :, int(0.8 * SAMPLE_RATE) :] = 0
    found = ChannelBalance()
    flat = sound.reshape(2, -1).astype(np.float32)
    for start in (0, 20):  # comes in pieces
        found.add(flat[:, start * SAMPLE_RATE : (start + 20) * SAMPLE_RATE], offset=start)
    return found


@pytest.mark.parametrize(
    ("crosstalk", "right", "second"),
    [
        (-40, 0, 0),
        (-14, 0, 0),
        (-14, -9, 0),  # then the left one is the louder for the second person too
        (-14, 20, 0),
        (-10, -6, -6),
    ],
)
def test_one_person_on_each_channel(crosstalk: float, right: float, second: float) -> None:
    found = heard(levels(crosstalk=crosstalk, right=right, second=second))
    assert found.speakers_of(WORDS) == TURNS


def test_the_first_to_speak_is_number_0_on_either_channel() -> None:
    assert heard(levels(crosstalk=-20)[::-1]).speakers_of(WORDS) == TURNS


@pytest.mark.parametrize("crosstalk", [0, -2])
def test_one_microphone_on_both_channels_tells_nothing(crosstalk: float) -> None:
    assert heard(levels(crosstalk=crosstalk)).speakers_of(WORDS) is None


@pytest.mark.parametrize("noise", [-200, -30, 0])
def test_one_channel_only_tells_nothing(noise: float) -> None:
    """Nor does it when one person is much louder than the other."""
    left = levels(crosstalk=0, second=-20)[0]
    found = heard(np.stack((left, np.full(len(WORDS), noise))))
    assert found.speakers_of(WORDS) is None


def test_one_person_on_both_channels_tells_nothing() -> None:
    rng = np.random.default_rng(2)
    wandering = rng.normal(0, 4, (2, len(WORDS)))
    assert heard(wandering).speakers_of(WORDS) is None


def test_no_words_and_no_sound() -> None:
    assert heard(levels(crosstalk=-20)).speakers_of(()) is None
    assert ChannelBalance().speakers_of(WORDS) is None
