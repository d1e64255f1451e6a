"""What is told without anybody doing something; imported by Procrastinate in every process."""

from __future__ import annotations

from procrastinate.contrib.django import app

HOUSEKEEPING = "housekeeping"


@app.periodic(cron="7 * * * *")
@app.task(name="portal.notifications.hourly", queue=HOUSEKEEPING)
def hourly(timestamp: int) -> None:
    from portal.notifications import digest, reminders

    reminders.tell_of_consents()
    digest.send_due()
