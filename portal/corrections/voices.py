"""Writes of who speaks, for a whole conversation: names, roles, the two voices exchanged, more
voices than were told apart. What a person says of a voice, no machine changes any more."""

from __future__ import annotations

import re

from django.db import transaction
from django.db.models import Sum
from django.db.models.functions import Length
from django.utils.translation import gettext as _

from portal.accounts.models import Employee
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Speaker, Transcript
from portal.corrections import alignment, queries, snapshots
from portal.corrections.editing import begin, keep, speaker_of
from portal.corrections.errors import Changed
from portal.corrections.models import Edit

MAX_NAME = 120
MAIN = (Speaker.Role.EMPLOYEE, Speaker.Role.PARTICIPANT)


@transaction.atomic
def update_speaker(
    *,
    conversation: Conversation,
    employee: Employee,
    speaker: int,
    seen: int,
    name: str,
    role: str,
) -> Edit | None:
    """Name a voice ("" for the name that its role gives it) and say whose it is.

    ``seen``: the revision of the corrections (`queries.revision`) that the person was looking at.
    None when it is like that already. Raises Refused, Changed.
    """
    transcript = begin(conversation)
    found = speaker_of(transcript, speaker)
    _check_seen(conversation, found, seen, employee)
    name = _clean_name(name)
    if role not in Speaker.Role.values:
        raise Refused("role", _("Ese papel no existe. Elija otro."), status=422)
    if (found.name, found.role) == (name, role):
        return None
    before = snapshots.take(speakers=[found])
    found.name, found.role, found.edited_by = name, role, employee
    return _keep(transcript, employee, Edit.Kind.SPEAKER, before, [found])


@transaction.atomic
def add_speaker(
    *,
    conversation: Conversation,
    employee: Employee,
    name: str = "",
    role: str = Speaker.Role.OTHER,
) -> tuple[Speaker, Edit]:
    """One more voice, an interpreter or a relative, that turns can be given to. Raises Refused."""
    transcript = begin(conversation)
    labels = transcript.speakers.values_list("label", flat=True)
    numbers = [int(label[1:]) for label in labels if re.fullmatch(r"S\d+", label)]
    made = Speaker(
        transcript=transcript,
        label=f"S{max(numbers, default=0) + 1}",
        name=_clean_name(name),
        role=role,
        edited_by=employee,
    )
    return made, _keep(transcript, employee, Edit.Kind.SPEAKER, snapshots.take(), [made])


@transaction.atomic
def swap_speakers(*, conversation: Conversation, employee: Employee, seen: int) -> Edit:
    """Exchange the two main voices in the whole conversation: each gets the role and the name of
    the other. Raises Refused, Changed."""
    transcript = begin(conversation)
    one, other = _main(transcript)
    for speaker in (one, other):
        _check_seen(conversation, speaker, seen, employee)
    before = snapshots.take(speakers=[one, other])
    one.name, other.name = other.name, one.name
    one.role, other.role = other.role, one.role
    one.edited_by = other.edited_by = employee
    return _keep(transcript, employee, Edit.Kind.SWAP, before, [one, other])


def _main(transcript: Transcript) -> tuple[Speaker, Speaker]:
    """Who speaks most as the employee and who as the participant; where one of them has no voice,
    the two that speak most."""
    heard = transcript.speakers.annotate(letters=Sum(Length("turns__text"), default=0))
    voices = list(heard.order_by("-letters", "pk"))
    by_role = [next((v for v in voices if v.role == role), None) for role in MAIN]
    match [voice for voice in by_role if voice is not None], voices:
        case [one, other], _rest:
            return one, other
        case _found, [one, other, *_rest]:
            return one, other
    raise Refused(
        "one_voice", _("Solo hay una voz: no hay otra con la que intercambiarla."), status=422
    )


def _keep(
    transcript: Transcript,
    employee: Employee,
    kind: Edit.Kind,
    before: snapshots.Snapshot,
    speakers: list[Speaker],
) -> Edit:
    for speaker in speakers:
        speaker.save()
    return keep(transcript, employee, kind, before, speakers=speakers)


def _check_seen(
    conversation: Conversation, speaker: Speaker, seen: int, employee: Employee
) -> None:
    latest = queries.of_speaker(conversation, speaker.pk).filter(pk__gt=seen).first()
    if latest is None:
        return
    message = _("%(name)s ha cambiado quién es esta voz mientras usted lo corregía.")
    if latest.employee_id == employee.pk:
        message = _("Usted ha cambiado quién es esta voz desde otra ventana.")
    raise Changed(message % {"name": latest.employee.name}, by=latest.employee.name)


def _clean_name(name: str) -> str:
    name = alignment.clean(name)
    if len(name) > MAX_NAME:
        raise Refused(
            "too_long", _("El nombre es demasiado largo. Escriba uno más corto."), status=422
        )
    return name
