"""AWS Transcribe's streaming: audio in and results out as event streams over one HTTP/2 request, by
the documented frames. It needs TLS, so there is a certificate of its own (``certificate``, PEM)."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
import json
import ssl
import struct
import tempfile
import threading
from binascii import crc32
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from botocore.eventstream import EventStreamBuffer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, RequestReceived, StreamEnded, WindowUpdated

from portal.speech.audio import SAMPLE_RATE
from tests.servers.hearing import Heard, words_in

SETTLED = 0.3
"""Seconds after a sentence at which it is final."""

RESULT = {
    ":message-type": "event",
    ":event-type": "TranscriptEvent",
    ":content-type": "application/json",
}


class AWSStreaming:
    """``asked``: the headers of each request. ``breaks_after``: seconds of sound after which it
    sends an exception. ``refuses``: type of the error that those who come next get. ``nonsense``:
    what its events say in the place of a result."""

    def __init__(self) -> None:
        self.calm()
        self.certificate, self._context = _tls()
        self._loop = asyncio.new_event_loop()
        self.url = ""

    def calm(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.heard = 0.0
        self.breaks_after: float | None = None
        self.refuses = ""
        self.nonsense: Any = None

    @contextmanager
    def running(self) -> Iterator[AWSStreaming]:
        thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        thread.start()
        start = asyncio.start_server(
            lambda reader, writer: _Talk(self, reader, writer).run(),
            "127.0.0.1",
            0,
            ssl=self._context,
        )
        server = asyncio.run_coroutine_threadsafe(start, self._loop).result(10)
        self.url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._end, server)
            thread.join(10)

    def _end(self, server: asyncio.Server) -> None:
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.call_soon(self._loop.stop)


class _Talk:
    """One connection, with as many requests as come."""

    def __init__(
        self, service: AWSStreaming, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._service = service
        self._reader, self._writer = reader, writer
        self._h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        self._streams: dict[int, _Session] = {}
        self._waiting: list[tuple[int, bytes, bool]] = []

    async def run(self) -> None:
        self._h2.initiate_connection()
        self._flush()
        while data := await self._reader.read(65536):
            for event in self._h2.receive_data(data):
                if isinstance(event, RequestReceived):
                    self._begin(event.stream_id, dict(event.headers))
                elif isinstance(event, DataReceived):
                    self._h2.acknowledge_received_data(
                        event.flow_controlled_length, event.stream_id
                    )
                    session = self._streams.get(event.stream_id)
                    if session is not None:
                        self._answer(event.stream_id, session.take(event.data))
                elif isinstance(event, StreamEnded):
                    self._streams.pop(event.stream_id, None)
                elif isinstance(event, WindowUpdated):
                    pass
            self._flush()
        self._writer.close()

    def _begin(self, stream: int, headers: dict[str, str]) -> None:
        self._service.asked.append(headers)
        if self._service.refuses or "Signature=" not in headers.get("authorization", ""):
            kind = self._service.refuses or "UnrecognizedClientException"
            status = "429" if kind == "LimitExceededException" else "403"
            self._h2.send_headers(stream, [(":status", status), ("x-amzn-errortype", kind)])
            self._h2.send_data(stream, b'{"Message":"no"}', end_stream=True)
            return
        self._h2.send_headers(
            stream,
            [
                (":status", "200"),
                ("content-type", "application/vnd.amazon.eventstream"),
                ("x-amzn-request-id", "0"),
                ("x-amzn-transcribe-language-code", "es-ES"),
                ("x-amzn-transcribe-sample-rate", str(SAMPLE_RATE)),
                ("x-amzn-transcribe-media-encoding", "pcm"),
                ("x-amzn-transcribe-session-id", "0"),
            ],
        )
        self._streams[stream] = _Session(self._service)

    def _answer(self, stream: int, frames: list[bytes | None]) -> None:
        for frame in frames:
            if frame is None:
                self._h2.end_stream(stream)
                self._streams.pop(stream, None)
            else:
                self._h2.send_data(stream, frame)

    def _flush(self) -> None:
        self._writer.write(self._h2.data_to_send())


class _Session:
    """From frames of audio to frames of results; None after the last."""

    def __init__(self, service: AWSStreaming) -> None:
        self._service = service
        self._buffer = EventStreamBuffer()
        self._pcm, self._told = b"", 0.0

    def take(self, data: bytes) -> list[bytes | None]:
        self._buffer.add_data(data)
        frames: list[bytes | None] = []
        for signed in self._buffer:
            assert signed.headers[":chunk-signature"]
            if not signed.payload:
                return [*frames, *self._results(at_end=True), None]
            inner = EventStreamBuffer()
            inner.add_data(signed.payload)
            event = next(iter(inner))
            assert event.headers[":event-type"] == "AudioEvent"
            if not event.payload:
                return [*frames, *self._results(at_end=True), None]
            self._pcm += event.payload
            self._service.heard += len(event.payload) / 2 / SAMPLE_RATE
            after = self._service.breaks_after
            if after is not None and self._service.heard > after:
                failed = {
                    ":message-type": "exception",
                    ":exception-type": "InternalFailureException",
                    ":content-type": "application/json",
                }
                return [*frames, frame(failed, {"Message": "no"}), None]
            frames += self._results(at_end=False)
        return frames

    def _results(self, *, at_end: bool) -> list[bytes]:
        seconds = len(self._pcm) / 2 / SAMPLE_RATE
        words = [word for word in words_in(self._pcm) if word.start >= self._told - 0.05]
        found = []
        for _, turn in groupby(words, key=lambda word: word.turn):
            said = list(turn)
            ended = seconds - said[-1].end > SETTLED and said[-1].text[-1] in ".?"
            final = ended or at_end
            until = said[-1].end + 0.1 if ended else seconds
            result = _result(said, start=self._told, until=until, final=final)
            body = {"Transcript": {"Results": [result]}}
            found.append(frame(RESULT, self._service.nonsense or body))
            if final:
                self._told = until
        return found


def _result(said: list[Heard], *, start: float, until: float, final: bool) -> dict[str, Any]:
    items: list[dict[str, Any]] = []
    for word in said:
        text = word.text.rstrip(".,?!")
        times = {"StartTime": word.start, "EndTime": word.end}
        items.append(
            {
                "Type": "pronunciation",
                "Content": text,
                "Confidence": 0.98,
                "Speaker": str(word.speaker),
                **times,
            }
        )
        if text != word.text:
            mark = {"StartTime": word.end, "EndTime": word.end, "Content": word.text[len(text) :]}
            items.append({"Type": "punctuation", "Speaker": str(word.speaker), **mark})
    return {
        "ResultId": f"{said[0].turn}",
        "StartTime": start,
        "EndTime": until,
        "IsPartial": not final,
        "Alternatives": [{"Transcript": " ".join(w.text for w in said), "Items": items}],
    }


def frame(headers: dict[str, str], body: Any) -> bytes:
    """A message of the event stream: lengths, their checksum, headers, payload, checksum."""
    payload = json.dumps(body).encode()
    head = b""
    for name, value in headers.items():
        head += struct.pack("!B", len(name)) + name.encode()
        head += struct.pack("!BH", 7, len(value)) + value.encode()
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    message = prelude + struct.pack("!I", crc32(prelude)) + head + payload
    return message + struct.pack("!I", crc32(message))


def _tls() -> tuple[str, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names: list[x509.GeneralName] = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.IPv4Address("127.0.0.1")),
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2"])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "both.pem"
        path.write_bytes(text + private)
        context.load_cert_chain(path)
    return text.decode(), context
