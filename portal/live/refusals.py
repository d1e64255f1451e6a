"""What a live recording is refused, with the sentence that says why."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _

from portal.conversations import partfiles
from portal.conversations.errors import Refused
from portal.conversations.models import Speaker
from portal.conversations.partfiles import KEEP_FREE
from portal.live.models import LiveRecording
from portal.live.protocol import SAMPLE_RATE

LEAST_SECONDS = 2.0
"""Shorter recordings hold nothing to transcribe."""

VOICE_BYTES = (2 * SAMPLE_RATE, 20 * SAMPLE_RATE)
"""From one second of a voice to ten."""

VOICE_ROLES = frozenset({Speaker.Role.EMPLOYEE, Speaker.Role.PARTICIPANT})


class AlreadyOpen(Refused):
    """``recording``: the one to continue or end first."""

    def __init__(self, recording: LiveRecording) -> None:
        super().__init__(
            "open",
            _(
                "Tiene una grabación sin terminar, con %(name)s. Está guardada: continúela o "
                "termínela antes de empezar otra."
            )
            % {"name": recording.participant.name},
            status=409,
        )
        self.recording = recording


def check_voices(voices: Mapping[str, bytes]) -> None:
    least, most = VOICE_BYTES
    for role, pcm in voices.items():
        if role not in VOICE_ROLES or len(pcm) % 2 or not least <= len(pcm) <= most:
            raise Refused(
                "voice",
                _(
                    "La muestra de voz no sirve: hacen falta entre 1 y 10 segundos. Repítala o "
                    "empiece sin ella."
                ),
                status=422,
            )


def check_room() -> None:
    if partfiles.free_bytes() < KEEP_FREE:
        raise Refused(
            "disk_full",
            _(
                "No queda sitio en el equipo que guarda las grabaciones y no se puede empezar "
                "otra. Avise a quien administra el portal."
            ),
            status=507,
        )


def ended() -> Refused:
    return Refused(
        "ended",
        _("Esta grabación ya se ha terminado: la conversación está en la lista."),
        status=410,
    )


def stored() -> Refused:
    return Refused(
        "stored",
        _("La grabación ya se ha guardado como conversación: está en la lista."),
        status=409,
    )


def gone() -> Refused:
    return Refused(
        "gone", _("Esta grabación ya no está: alguien de su equipo la descartó."), status=410
    )


def recorded_elsewhere() -> Refused:
    return Refused(
        "recording_elsewhere",
        _(
            "Todavía llega audio de otra pestaña o de otro equipo. No se ha perdido nada: espere "
            "unos segundos y vuelva a intentarlo."
        ),
        status=409,
    )


def too_short() -> Refused:
    return Refused(
        "too_short",
        _(
            "La grabación dura menos de dos segundos y no hay nada que transcribir. Continúela o "
            "descártela."
        ),
        status=422,
    )


def withdrawn() -> Refused:
    return Refused(
        "consent_withdrawn",
        _(
            "La persona ha retirado su consentimiento: la grabación no se puede guardar. "
            "Descártela."
        ),
        status=409,
    )


def no_room_to_store() -> Refused:
    return Refused(
        "disk_full",
        _(
            "No queda sitio para terminar la grabación. Todo lo grabado está guardado: avise a "
            "quien administra el portal y, cuando haya sitio, termínela."
        ),
        status=507,
    )
