"""The answers of before reviews: what a person wrote is reviewed, and every history has its
beginning."""

from __future__ import annotations

from typing import Any

from django.db import migrations
from django.db.models import F, OuterRef, Q, Subquery


def begin(apps: Any, _schema: Any) -> None:
    answers = apps.get_model("assessments", "Answer").objects
    changes = apps.get_model("assessments", "AnswerChange").objects
    sheets = apps.get_model("assessments", "Sheet").objects
    answers.filter(origin="person", reviewed_by=None).update(
        reviewed_by=F("edited_by"), reviewed_at=F("updated_at")
    )
    known = answers.filter(changes=None).exclude(Q(origin="") & Q(state="unasked"))
    changes.bulk_create(_first(answer, changes.model()) for answer in known.prefetch_related("evidence"))
    # It began when the answer was last changed, not now.
    answer = answers.filter(pk=OuterRef("answer"))
    changes.update(made_at=Subquery(answer.values("updated_at")[:1]))
    for sheet in sheets.all():
        decided = answers.filter(sheet=sheet, state__in=["answered", "declined"])
        sheet.reviewed = decided.exclude(reviewed_by=None).count()
        sheet.save(update_fields=["reviewed"])


def _first(answer: Any, change: Any) -> Any:
    change.answer, change.state, change.value = answer, answer.state, answer.value
    change.employee_id = answer.edited_by_id
    if answer.origin == "person":
        change.action = "edited"
        return change
    change.action = "proposed" if answer.state in ("answered", "declined") else "asked"
    change.conversation_id = answer.conversation_id
    change.engine, change.model = answer.engine, answer.model
    change.evidence = [
        {"turn": piece.turn_id, "quote": piece.quote, "start": piece.start, "end": piece.end}
        for piece in answer.evidence.all()
    ]
    return change


class Migration(migrations.Migration):
    dependencies = [("assessments", "0002_review_and_versions")]

    operations = [migrations.RunPython(begin, migrations.RunPython.noop)]
