"""Whether what a person says may leave this machine, for a service of others to work on it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from portal.participants.models import Consent, Participant


@dataclass(frozen=True, slots=True)
class Leave:
    """Truthy when it may. ``reason``: why not; ``remedy``: what who chooses can do about it. Both
    for the interviewer."""

    reason: str = ""
    remedy: str = ""

    def __bool__(self) -> bool:
        return not self.reason


def may_leave(participant: Participant, *, consent: Consent | None = None) -> Leave:
    """For whatever would send audio or text of a person out; ``consent``: that of a conversation.

    The last thing the person said of it counts, for earlier conversations too. The team decides
    before them.
    """
    if not participant.team.external_services:
        return Leave(_("El equipo que atiende a esta persona no usa servicios externos."))
    last = participant.consents.order_by("-given_at", "-pk").first()
    withdrawn = any(one is not None and one.withdrawn_at is not None for one in (consent, last))
    if last is None or withdrawn or not (last.is_valid and last.external):
        return Leave(
            _("La persona no ha aceptado que se use un servicio externo."),
            _("Pregúnteselo, o elija lo que trabaja en este equipo."),
        )
    return Leave()
