"""Whether a browser may send to a recording: asked when it comes, and again while it sends."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.conf import settings

from portal.accounts import sessions
from portal.accounts.models import Employee
from portal.live import queries
from portal.live.models import LiveRecording
from portal.live.protocol import CloseCode


class Turned(Exception):
    """It may not (any more). ``language``: of who was told, when that is known."""

    def __init__(self, code: CloseCode, language: str = settings.LANGUAGE_CODE) -> None:
        super().__init__(code.name)
        self.code = code
        self.language = language


@dataclass(frozen=True, slots=True)
class Admission:
    employee: Employee
    recording: LiveRecording


def admit(session_key: str | None, recording_id: UUID) -> Admission:
    """Raises Turned."""
    employee = sessions.employee(session_key)
    if employee is None:
        raise Turned(CloseCode.UNAUTHENTICATED)
    recording = (
        queries.visible_to(employee).select_related("consent").filter(pk=recording_id).first()
    )
    if recording is None:
        raise Turned(CloseCode.NOT_FOUND, employee.language)
    if not recording.is_open:
        raise Turned(CloseCode.ENDED, employee.language)
    if not recording.consent.is_valid:
        raise Turned(CloseCode.CONSENT, employee.language)
    return Admission(employee, recording)
