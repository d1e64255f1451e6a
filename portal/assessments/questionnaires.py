"""The questionnaire that every team starts with, kept in step with its file."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from portal.analysis.questionnaire import default_questionnaire
from portal.assessments.models import Domain, Question, Questionnaire

SLUG = "acogida"


@transaction.atomic
def seed_default_questionnaire() -> Questionnaire:
    """Make the default questionnaire, or bring its wording and cues up to its file.

    Runs after every ``migrate``: a new version of the portal may word a question better, and
    answers hang on rows that must not be made anew. It is published, as version 1.
    """
    source = default_questionnaire()
    questionnaire, _made = Questionnaire.objects.update_or_create(
        team=None,
        slug=SLUG,
        version=1,
        defaults={"name": source.name, "language": source.language},
        create_defaults={
            "name": source.name,
            "language": source.language,
            "published_at": timezone.now(),
        },
    )
    domains = {
        domain.id: Domain.objects.update_or_create(
            questionnaire=questionnaire,
            slug=domain.id,
            defaults={
                "name": domain.name,
                "colour": domain.colour,
                "icon": domain.icon,
                "position": position,
            },
        )[0]
        for position, domain in enumerate(source.domains)
    }
    for position, question in enumerate(source.questions):
        Question.objects.update_or_create(
            domain=domains[question.domain],
            slug=question.id,
            defaults={
                "text": question.text,
                "prompt": source.prompts[question.id],
                "cues": list(question.cues),
                "examples": list(question.examples),
                "position": position,
            },
        )
    return questionnaire
