"""A browser that records: speaks the wire protocol of `portal/live/protocol.py`, in real time."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from bench.client import Portal
from portal.live.protocol import FRAME_SECONDS, Audio, pack_entry
from portal.speech.audio import SAMPLE_RATE, decode

FRAME_SAMPLES = int(FRAME_SECONDS * SAMPLE_RATE)


def pcm_of(path: Path) -> bytes:
    """A file's sound as 16 kHz mono s16le."""
    samples = np.concatenate(list(decode(path)), axis=-1).reshape(-1)
    return np.round(samples * 32767).astype("<i2").tobytes()


def frames_of(pcm: bytes) -> list[bytes]:
    step = FRAME_SAMPLES * 2
    return [pcm[i : i + step] for i in range(0, len(pcm), step)]


@dataclass
class Recorded:
    """One recording as its browser saw it; times are seconds of the same clock (`time.monotonic`).

    ``began``: when the first frame was sent; ``acks``: seconds from sending a frame to its
    acknowledgement; ``events``: (when, message).
    """

    id: str
    began: float = 0.0
    sent: list[bytes] = field(default_factory=list)
    acks: list[float] = field(default_factory=list)
    events: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def of(self, kind: str) -> list[tuple[float, dict[str, Any]]]:
        return [(when, message) for when, message in self.events if message["type"] == kind]


def start(portal: Portal, participant: str) -> dict[str, str]:
    """Begin a recording. -> its addresses"""
    boundary = secrets.token_hex(16)
    fields = {"language": "es", "engine": "local"}
    body = "".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    status, _, content = portal.request(
        "POST",
        f"/personas/{participant}/grabaciones/",
        f"{body}--{boundary}--\r\n".encode(),
        {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Accept": "application/json",
        },
    )
    if status != 201:
        raise SystemExit(f"start answered {status}: {content[:300]!r}")
    addresses: dict[str, str] = json.loads(content)
    return addresses


def end(portal: Portal, address: str) -> None:
    """Finish or discard."""
    status, _, content = portal.request("POST", address, b"", {"Accept": "application/json"})
    if status != 200:
        raise SystemExit(f"{address} answered {status}: {content[:300]!r}")


async def record(
    portal: Portal,
    addresses: dict[str, str],
    pcm: bytes,
    *,
    linger: float = 0.0,
    wait: float = 0.0,
) -> Recorded:
    """Send ``pcm`` as a microphone would give it, after ``wait`` seconds.

    Returns once all of it is acknowledged and ``linger`` more seconds are over.
    """
    await asyncio.sleep(wait)
    recorded = Recorded(addresses["id"])
    cookie = "; ".join(f"{name}={value}" for name, value in portal.cookies.items())
    address = f"{portal.host}:{portal.port}"
    async with connect(
        f"ws://{address}{addresses['socket']}",
        additional_headers={"Cookie": cookie},
        origin=f"http://{address}",  # type: ignore[arg-type]  # its type is a mere name for str
        max_queue=None,
    ) as socket:
        await socket.send(
            json.dumps(
                {"type": "hello", "part": str(uuid.uuid4()), "mode": "record", "takeover": False}
            )
        )
        sent_at: dict[int, float] = {}
        welcomed, everything = asyncio.Event(), asyncio.Event()
        frames = frames_of(pcm)
        listening = asyncio.create_task(
            _listen(socket, recorded, sent_at, welcomed, everything, len(frames))
        )
        await welcomed.wait()
        recorded.began = time.monotonic()
        for seq, frame in enumerate(frames):
            # A frame is there when its last sample has been spoken.
            due = recorded.began + (seq + 1) * FRAME_SECONDS
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            sent_at[seq] = time.monotonic()
            await socket.send(pack_entry(Audio(seq, frame)))
            recorded.sent.append(frame)
        async with asyncio.timeout(60):
            await everything.wait()
        await asyncio.sleep(linger)
        listening.cancel()
    return recorded


async def _listen(
    socket: ClientConnection,
    recorded: Recorded,
    sent_at: dict[int, float],
    welcomed: asyncio.Event,
    everything: asyncio.Event,
    frames: int,
) -> None:
    acknowledged = -1
    async for text in socket:
        now = time.monotonic()
        message = json.loads(text)
        match message["type"]:
            case "welcome":
                welcomed.set()
            case "ack":
                for seq in range(acknowledged + 1, message["seq"] + 1):
                    recorded.acks.append(now - sent_at[seq])
                acknowledged = message["seq"]
                if acknowledged == frames - 1:
                    everything.set()
            case "error":
                raise SystemExit(f"the socket was closed: {message}")
            case _:
                recorded.events.append((now, message))
