"""The menu that takes a ficha away, wherever one is shown."""

from __future__ import annotations

from django import template

from portal.assessments.exports import pdf
from portal.assessments.exports.formats import Format
from portal.assessments.models import Answer
from portal.conversations.exports import notice
from portal.participants.models import Participant

register = template.Library()

ICONS = {
    Format.PDF: "bi-file-earmark-pdf",
    Format.XLSX: "bi-file-earmark-excel",
    Format.CSV: "bi-filetype-csv",
    Format.FHIR: "bi-filetype-json",
}


@register.inclusion_tag("assessments/take_menu.html")
def take_menu(participant: Participant) -> dict[str, object]:
    """Each format with its icon and, where it cannot be made here, why."""
    return {
        "participant": participant,
        "formats": [
            (
                chosen.value,
                chosen.label,
                ICONS[chosen],
                pdf.cannot() if chosen == Format.PDF else "",
            )
            for chosen in Format
        ],
        "notice": notice(),
    }


@register.filter
def state_label(state: str) -> str:
    return str(Answer.State(state).label)
