"""What is refused before a single byte is sent, with the sentence that says why."""

from __future__ import annotations

import re
from pathlib import PurePath

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from portal.conversations import partfiles
from portal.conversations.errors import Refused
from portal.participants.models import Consent, Participant
from portal.participants.offers import offers

NOT_AUDIO = frozenset(
    f".{suffix}"
    for group in (
        ("pdf", "doc", "docx", "odt", "rtf", "txt", "md", "html", "htm", "xml", "json"),
        ("csv", "xls", "xlsx", "ods", "ppt", "pptx", "odp"),
        ("jpg", "jpeg", "png", "gif", "webp", "heic", "svg", "bmp", "tif", "tiff"),
        ("zip", "rar", "7z", "gz", "tar", "exe", "msi", "dmg", "apk", "iso"),
    )
    for suffix in group
)
"""Endings that are certainly not audio; any other file may try, and the probe step decides."""

SPEAKERS = range(2, 5)
"""How many people may be told apart in a conversation."""


def check_consent(consent: Consent | None, participant: Participant) -> Consent:
    if consent is None or consent.participant_id != participant.pk:
        raise Refused(
            "consent_missing",
            _("Falta el consentimiento de la persona. Recójalo antes de grabar o subir nada."),
            status=409,
        )
    if consent.withdrawn_at is not None:
        raise Refused(
            "consent_withdrawn",
            _("La persona ha retirado su consentimiento: no se puede seguir con la conversación."),
            status=409,
        )
    if not consent.is_valid:
        raise Refused(
            "consent_missing",
            _(
                "El consentimiento no incluye grabar la conversación y analizarla. Recoja uno que "
                "lo incluya."
            ),
            status=409,
        )
    return consent


def check_consent_to_begin(consent: Consent | None, participant: Participant) -> Consent:
    """For what is new, whichever way it comes in; `check_consent` is for what goes on."""
    consent = check_consent(consent, participant)
    if not consent.may_begin:
        raise Refused(
            "consent_expired",
            _(
                "El consentimiento de la persona ha caducado. Recójalo de nuevo antes de grabar o "
                "subir nada; lo que ya hay se conserva."
            ),
            status=409,
        )
    return consent


def check_engine(engine: str, participant: Participant) -> None:
    """Only engines that can work now and may for this person: a key or a model that is missing,
    or a consent, is said at once."""
    offer = next((one for one in offers(participant) if one.name == engine), None)
    if offer is None or offer.reason:
        message = _("Ese motor de transcripción no está disponible. Elija otro.")
        if offer is not None:
            message = f"{message} {offer.reason}"
        raise Refused("engine_unavailable", message, status=409)


def check_language(language: str) -> None:
    if language and not re.fullmatch("[a-z]{2,3}", language):
        raise Refused("language", _("Ese idioma no existe. Elija otro."), status=422)


def read_speakers(text: str) -> int:
    """How many somebody asks for; 0, which is refused, for what is no number."""
    return int(text) if text in {str(number) for number in SPEAKERS} else 0


def check_speakers(speakers: int) -> None:
    if speakers not in SPEAKERS:
        raise Refused(
            "speakers", _("Elija cuántas personas hablan: entre dos y cuatro."), status=422
        )


def check_filename(filename: str) -> None:
    suffix = PurePath(filename).suffix.lower()
    if suffix in NOT_AUDIO:
        raise Refused(
            "not_audio",
            _(
                "Un archivo %(suffix)s no es una grabación. Elija el audio de la conversación "
                "(WAV, MP3, M4A, OGG, WebM, FLAC o MP4)."
            )
            % {"suffix": suffix},
            status=422,
        )


def check_size(size: int) -> None:
    if size <= 0:
        raise Refused(
            "empty",
            _("El archivo está vacío. Compruebe que es la grabación y que se copió entera."),
            status=422,
        )
    if size > settings.ENV.upload_max_bytes:
        raise Refused(
            "too_large",
            _(
                "El archivo ocupa %(size)s y el máximo es %(most)s. Guárdelo como MP3 o divídalo "
                "en partes."
            )
            % {
                "size": filesizeformat(size),
                "most": filesizeformat(settings.ENV.upload_max_bytes),
            },
            status=413,
        )
    if size + partfiles.KEEP_FREE > partfiles.free_bytes():
        raise disk_full()


def disk_full() -> Refused:
    return Refused(
        "disk_full",
        _(
            "No queda sitio en el equipo que guarda las grabaciones. Lo que ya ha llegado se "
            "conserva: avise a quien administra el portal y, cuando haya sitio, siga con la subida."
        ),
        status=507,
    )
