"""What the bell shows of a notification, and what the browser has to know to be told of one."""

from __future__ import annotations

from django import template
from django.template.context import Context

from portal.notifications.models import Notification

register = template.Library()

# Icon of bootstrap-icons, and of components.css what a notice of it is.
KINDS = {
    Notification.Kind.READY: ("bi-check-lg", "success"),
    Notification.Kind.PARTIAL: ("bi-exclamation-triangle", "warning"),
    Notification.Kind.FAILED: ("bi-exclamation-octagon", "error"),
    Notification.Kind.SUGGESTION: ("bi-lightbulb", "info"),
    Notification.Kind.CONSENT: ("bi-shield-exclamation", "warning"),
}


@register.filter
def kind_icon(notification: Notification) -> str:
    return KINDS[Notification.Kind(notification.kind)][0]


@register.filter
def kind_level(notification: Notification) -> str:
    return KINDS[Notification.Kind(notification.kind)][1]


@register.inclusion_tag("notifications/news.html", takes_context=True)
def news(context: Context) -> dict[str, object]:
    return {"user": context["user"], "kinds": Notification.Kind.choices}
