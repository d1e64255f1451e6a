"""A Whisper that does not listen to padding.

Whisper was trained on windows of 30 s and faster-whisper fills shorter ones up, so that five
seconds cost what thirty do. Its encoder takes shorter windows as well.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from faster_whisper import WhisperModel
from numpy.typing import NDArray

MARGIN = 500
"""Empty frames (of 10 ms) left behind what is heard: with fewer than 300 Whisper does not see the
end, and says the same again."""


class ShortWindowWhisper(WhisperModel):  # type: ignore[misc]  # it has no types
    def encode(self, features: NDArray[np.float32]) -> Any:
        return super().encode(without_padding(features))


def without_padding(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """(bands, frames) without the zeros at its end, except for MARGIN; an even number of frames."""
    heard = np.flatnonzero(features.any(axis=0))
    used = int(heard[-1]) + 1 if len(heard) else 0
    wanted = min(features.shape[-1], -(-(used + MARGIN) // 2) * 2)
    return np.ascontiguousarray(features[:, :wanted])
