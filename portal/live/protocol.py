"""The language between a recording browser and the server, over one WebSocket.

Address: ``/grabaciones/<id>/socket/``, with the session's cookie. The socket is accepted, and then
closed with a code of `CloseCode` when it cannot go on; before that, an ``error`` says why.

**Up, text** (JSON objects):

    {"type": "hello", "part": uuid, "mode": "record" | "drain", "takeover": bool}
        first of all. ``part`` is made by the browser for its stretch of the recording and kept with
        its frames; a known part goes on where it was, a new one begins after what there is.
        ``drain`` sends what is left of an earlier stretch, beside whoever records now.
        ``takeover`` ends whoever records now elsewhere.
    {"type": "state", "state": "recording" | "paused" | "private"}
        from now on. No audio is taken while private or paused.

**Up, binary**: one entry: ``seq`` (uint32 LE, from 0, each entry of the part one more), ``kind``
(uint8), payload. Kind 0: 16 kHz mono s16le, an even number of bytes, at most `MOST_AUDIO_BYTES`.
Kinds 1-3: a gap before what follows, payload its length in ms (uint32 LE); see `GapKind`. Entries
that were sent before are acknowledged again and change nothing.

**Down, text**:

    {"type": "welcome", "next": seq, "saved_ms": n, "state": s, "transcription": t,
     "last_part": uuid, "turns": [...], "ticks": [...], "left_out": [...]}
        ``next``: the entry to go on with; the lists: all so far; ``last_part``: a browser whose
        part it is not begins a new one for what it records from now on
    {"type": "ack", "seq": seq, "saved_ms": n}       all entries up to ``seq`` are on disk (fsync)
    {"type": "partial", "text": str}                 being said; replaces the one before
    {"type": "turns", "turns": [{"position", "speaker", "role", "start", "end", "text"}]}
        new or, with a known position, in place of that one; seconds from the recording's start
    {"type": "coverage",
     "ticks": [{"question": slug, "state", "origin", "value", "quote", "start"}],
     "left_out": [slug]}
        ``left_out``: all whose condition does not hold by now; not there without conditions
    {"type": "transcription", "status": "starting" | "live" | "later" | "off"}
        ``later``: too much at once or no recogniser, it will be transcribed at the end
    {"type": "state", "state": s}                    another device changed it
    {"type": "ended", "url": address or null}        stored, or discarded (null)
    {"type": "error", "code": CloseCode, "message": sentence}

Nothing here knows of Django's database or of sockets.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SAMPLE_RATE = 16_000
BYTES_PER_MS = 32
FRAME_SECONDS = 0.25
MOST_AUDIO_BYTES = 16_000
"""Half a second: two frames, since a browser may join a short last one to the one before."""

_HEAD = struct.Struct("<IB")
_MS = struct.Struct("<I")

MOST_ENTRY_BYTES = _HEAD.size + MOST_AUDIO_BYTES
"""Of a binary message."""


class GapKind(IntEnum):
    """Why there is no audio for a while."""

    PAUSED = 1
    PRIVATE = 2
    # The browser was closed or killed, and the recording continued later.
    INTERRUPTED = 3


class CloseCode(IntEnum):
    """Why the server closes a socket (RFC 6455: 4000-4999 are the application's).

    After UNAUTHENTICATED to ENDED and CONSENT, trying again does not help; after the others it
    does, from the ``next`` of the welcome.
    """

    MALFORMED = 4400
    UNAUTHENTICATED = 4401
    CONSENT = 4403
    NOT_FOUND = 4404
    NO_HELLO = 4408
    BUSY = 4409
    ENDED = 4410
    TAKEN_OVER = 4411
    SEQUENCE = 4412
    TOO_LONG = 4413
    FRAME_SIZE = 4414
    WRONG_STATE = 4423
    TOO_FAST = 4429
    DISK_FULL = 4507


SENTENCES: dict[CloseCode, str | Promise] = {
    CloseCode.MALFORMED: _(
        "La página ha enviado algo que no se entiende. Lo grabado está guardado: recargue la "
        "página y continúe."
    ),
    CloseCode.UNAUTHENTICATED: _(
        "Su sesión ha terminado. Lo grabado se conserva en este equipo: vuelva a entrar en otra "
        "pestaña y la grabación seguirá."
    ),
    CloseCode.CONSENT: _("La persona ha retirado su consentimiento: la grabación se ha detenido."),
    CloseCode.NOT_FOUND: _("No se encuentra esa grabación, o no es de su equipo."),
    CloseCode.NO_HELLO: _("La página no ha respondido a tiempo. Se vuelve a intentar sola."),
    CloseCode.BUSY: _("Esta conversación ya se está grabando en otra pestaña o en otro equipo."),
    CloseCode.ENDED: _("Esta grabación ya se ha terminado."),
    CloseCode.TAKEN_OVER: _("La grabación continúa ahora en otra pestaña o en otro equipo."),
    CloseCode.SEQUENCE: _("Se ha perdido el orden del envío. Se retoma solo donde iba."),
    CloseCode.TOO_LONG: _(
        "La grabación ha llegado a su duración máxima. Todo está guardado: termínela y, si hace "
        "falta, empiece otra."
    ),
    CloseCode.FRAME_SIZE: _(
        "El navegador ha enviado un fragmento de audio que no sirve. Lo anterior está guardado."
    ),
    CloseCode.WRONG_STATE: _(
        "Ha llegado audio durante una pausa y no se ha guardado. Continúe la grabación cuando "
        "quiera."
    ),
    CloseCode.TOO_FAST: _(
        "El audio llega más deprisa de lo que se habla. Lo anterior está guardado."
    ),
    CloseCode.DISK_FULL: _(
        "No queda sitio en el equipo que guarda las grabaciones. Lo grabado se conserva y lo nuevo "
        "se queda en este navegador: avise a quien administra el portal."
    ),
}


class BadEntry(Exception):
    """A binary message that is no entry. ``code`` says what is wrong with it."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name)
        self.code = code


@dataclass(frozen=True, slots=True)
class Audio:
    seq: int
    pcm: bytes

    @property
    def samples(self) -> int:
        return len(self.pcm) // 2


@dataclass(frozen=True, slots=True)
class Gap:
    seq: int
    kind: GapKind
    ms: int


Entry = Audio | Gap


def parse_entry(message: bytes) -> Entry:
    """Raises BadEntry."""
    if len(message) <= _HEAD.size:
        raise BadEntry(CloseCode.MALFORMED)
    seq, kind = _HEAD.unpack_from(message)
    payload = message[_HEAD.size :]
    if kind == 0:
        if len(payload) % 2 or len(payload) > MOST_AUDIO_BYTES:
            raise BadEntry(CloseCode.FRAME_SIZE)
        return Audio(seq, payload)
    if kind not in set(GapKind) or len(payload) != _MS.size:
        raise BadEntry(CloseCode.MALFORMED)
    return Gap(seq, GapKind(kind), _MS.unpack(payload)[0])


def pack_entry(entry: Entry) -> bytes:
    """The message that `parse_entry` reads."""
    match entry:
        case Audio(seq, pcm):
            return _HEAD.pack(seq, 0) + pcm
        case Gap(seq, kind, ms):
            return _HEAD.pack(seq, kind) + _MS.pack(ms)
