from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict

from portal.assessments.models import Answer, Question
from portal.assessments.typed import SEPARATOR

MAX_LENGTH = 4000


class AnswerForm(forms.Form):
    """A text, or a state alone. ``seen`` is the answer's version that the person was looking at.

    ``value`` is written as `typed.parse` takes it; of several choices every one is posted.
    """

    value = forms.CharField(required=False, max_length=MAX_LENGTH)
    state = forms.ChoiceField(required=False, choices=Answer.State)
    seen = forms.CharField(required=False)

    def __init__(self, *args: Any, answer: Answer, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.answer = answer

    def clean_value(self) -> str:
        value: str = self.cleaned_data["value"]
        if self.answer.question.kind == Question.Kind.SELECT_MULTIPLE:
            return SEPARATOR.join(posted_values(self.data))
        return value


def posted_values(data: Mapping[str, Any]) -> list[str]:
    """Every non-empty ``value`` of a request's form."""
    values = data.getlist("value") if isinstance(data, QueryDict) else [data.get("value", "")]
    return [str(value) for value in values if value]
