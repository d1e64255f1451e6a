"""The questionnaire that every team starts with, kept in step with its file."""

from __future__ import annotations

import json
from importlib import resources

from django.db import transaction

from portal.assessments.models import Domain, Question, Questionnaire

DEFAULT = "cruz_roja_es"


@transaction.atomic
def seed_default_questionnaire() -> Questionnaire:
    """Make the default questionnaire, or bring its wording and cues up to its file.

    Runs after every ``migrate``: a new version of the portal may word a question better, and
    answers hang on rows that must not be made anew.
    """
    data = json.loads(
        resources.files("portal.analysis").joinpath("data", f"{DEFAULT}.json").read_text("utf-8")
    )
    questionnaire, _made = Questionnaire.objects.update_or_create(
        team=None, slug=DEFAULT, defaults={"name": data["name"], "language": data["language"]}
    )
    domains = {
        item["id"]: Domain.objects.update_or_create(
            questionnaire=questionnaire,
            slug=item["id"],
            defaults={
                "name": item["name"],
                "colour": item["colour"],
                "icon": item["icon"],
                "position": position,
            },
        )[0]
        for position, item in enumerate(data["domains"])
    }
    for position, item in enumerate(data["questions"]):
        Question.objects.update_or_create(
            domain=domains[item["domain"]],
            slug=item["id"],
            defaults={
                "text": item["text"],
                "prompt": item["prompt"],
                "cues": item["cues"],
                "examples": item["examples"],
                "position": position,
            },
        )
    return questionnaire
