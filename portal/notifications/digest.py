"""One e-mail a day to those who asked for it in their profile: how many wait, and a link.

Mail is read on other machines and kept by others, so it says nothing of anybody.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import send_mail
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import ngettext

from portal.accounts.models import Employee
from portal.notifications import queries

log = logging.getLogger(__name__)

FROM_HOUR = 8
"""By the organisation's clock; whoever was switched off then sends it later in the day."""

APART = timedelta(hours=20)


def send_due() -> int:
    """Returns how many were sent. One that cannot be sent is tried again an hour later."""
    now = timezone.localtime()
    if now.hour < FROM_HOUR:
        return 0
    due = Employee.objects.filter(
        Q(digest_sent_at=None) | Q(digest_sent_at__lte=now - APART),
        is_active=True,
        email_digest=True,
    )
    return sum(_send(employee) for employee in due)


def _send(employee: Employee) -> bool:
    """How many were not opened, if any of them is newer than the last mail."""
    waiting = queries.unopened(employee)
    since = employee.digest_sent_at
    count, sent_at = waiting.count(), timezone.now()
    if not count or (since is not None and not waiting.filter(created_at__gt=since).exists()):
        return False
    with translation.override(employee.language):
        text = render_to_string(
            "notifications/digest.txt",
            {
                "count": count,
                "organisation": settings.ENV.organisation,
                "address": f"{settings.ENV.origin}{reverse('notifications:list')}",
                "profile": f"{settings.ENV.origin}{reverse('profile')}",
            },
        )
        subject = ngettext("%d notificación sin abrir", "%d notificaciones sin abrir", count)
    try:
        send_mail(f"{subject % count} · {settings.ENV.organisation}", text, None, [employee.email])
    except (OSError, SMTPException) as error:
        log.warning("A digest could not be sent: %s", type(error).__name__)
        return False
    Employee.objects.filter(pk=employee.pk).update(digest_sent_at=sent_at)
    return True
