from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class AssessmentsConfig(AppConfig):
    name = "portal.assessments"

    def ready(self) -> None:
        post_migrate.connect(_seed, sender=self)


def _seed(using: str, **_signal: Any) -> None:
    from portal.assessments.models import Question
    from portal.assessments.questionnaires import seed_default_questionnaire

    # The signal also follows a migration backwards to nothing.
    if Question._meta.db_table in connections[using].introspection.table_names():
        seed_default_questionnaire()
