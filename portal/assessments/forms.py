from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

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

    def __init__(self, *args: Any, answer: Answer, employee_id: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.answer = answer
        self.employee_id = employee_id

    def clean_value(self) -> str:
        value: str = self.cleaned_data["value"]
        if self.answer.question.kind == Question.Kind.SELECT_MULTIPLE:
            return SEPARATOR.join(posted_values(self.data))
        return value

    def clean(self) -> dict[str, Any]:
        """Refuses, once, to write over what a colleague saved in the meantime."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        answer, seen = self.answer, cleaned.get("seen")
        if (
            seen
            and seen != answer.version
            and answer.edited_by is not None
            and answer.edited_by_id != self.employee_id
        ):
            text = (
                _(
                    "Mientras escribía, %(name)s guardó: «%(value)s». Si guarda ahora, lo suyo la "
                    "sustituye."
                )
                if answer.value
                else _(
                    "Mientras escribía, %(name)s cambió esta respuesta. Si guarda ahora, vale lo "
                    "suyo."
                )
            )
            raise forms.ValidationError(text % {"name": answer.edited_by, "value": answer.value})
        return cleaned


def posted_values(data: Mapping[str, Any]) -> list[str]:
    """Every non-empty ``value`` of a request's form."""
    values = data.getlist("value") if isinstance(data, QueryDict) else [data.get("value", "")]
    return [str(value) for value in values if value]
