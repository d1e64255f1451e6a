from __future__ import annotations

from django import template

from portal.assessments.models import Answer

register = template.Library()

ICONS = {
    Answer.State.UNASKED: "bi-circle",
    Answer.State.ASKED: "bi-chat-dots",
    Answer.State.ANSWERED: "bi-check-circle-fill",
    Answer.State.DECLINED: "bi-dash-circle",
}


@register.filter
def state_icon(state: str) -> str:
    return ICONS[Answer.State(state)]


@register.filter
def other_states(answer: Answer) -> list[tuple[str, str]]:
    """(value, label) of what a menu can set: another state, and not "answered", which is
    what writing an answer does."""
    return [
        (value, str(label))
        for value, label in Answer.State.choices
        if value not in (answer.state, Answer.State.ANSWERED)
    ]


@register.inclusion_tag("assessments/review_ring.html")
def review_ring(answered: int, reviewed: int, total: int, size: str = "") -> dict[str, object]:
    """Two rings, for the eye alone: how much of ``total`` is answered, and how much reviewed."""
    whole = max(1, total)
    return {"answered": 100 * answered / whole, "reviewed": 100 * reviewed / whole, "size": size}
