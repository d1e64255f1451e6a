"""Silence in what is played: packets of Opus are copied, but for those of the stretches.

Nothing is decoded, so hours take seconds, and the rest sounds as it did but for the first
hundredths of a second after a stretch, in which the decoder finds its way again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portal.speech.playback import muxer

if TYPE_CHECKING:
    import av

SLACK = 0.01
"""Seconds by which the time of a packet and that of its sound may differ: an encoder begins a
little early, and not every container says how much."""

# RFC 6716, 3.1: 20 ms of CELT, full band, one channel; with code 3, as many as are counted.
_FRAME_SECONDS = 0.02
_ONE_FRAME, _SEVERAL_FRAMES = b"\xf8", b"\xfb"
_SILENT_FRAME = b"\xff\xfe"


def silence_packets(source: Path, target: Path, stretches: Sequence[tuple[float, float]]) -> None:
    """Write what `playback.make` made, ``source``, to ``target``, on disk to last, with nothing to
    be heard from when to when ``stretches`` say (seconds)."""
    import av

    with av.open(source) as heard, target.open("w+b") as file:
        os.fchmod(file.fileno(), 0o600)
        options = muxer((heard.duration or 0) / av.time_base)
        with av.open(file, "w", format="webm", container_options=options) as container:
            stream = heard.streams.audio[0]
            written = container.add_stream_from_template(stream)
            for packet in heard.demux(stream):
                if packet.pts is None or packet.duration is None:
                    continue  # the end
                start = float(packet.pts * packet.time_base)
                end = start + float(packet.duration * packet.time_base)
                if any(start < last + SLACK and end > first - SLACK for first, last in stretches):
                    packet = _silent(packet, end - start)
                packet.stream = written
                container.mux(packet)
        file.flush()
        os.fsync(file.fileno())


def _silent(packet: av.Packet[Any], seconds: float) -> av.Packet[Any]:
    import av

    frames = max(1, round(seconds / _FRAME_SECONDS))
    head = _ONE_FRAME if frames == 1 else _SEVERAL_FRAMES + bytes([frames])
    silent = av.Packet(head + _SILENT_FRAME * frames)
    silent.time_base = packet.time_base
    silent.pts, silent.dts, silent.duration = packet.pts, packet.dts, packet.duration
    silent.is_keyframe = packet.is_keyframe
    return silent
