from __future__ import annotations

from django import forms


class QuestionForm(forms.Form):
    """What is no question `services.ask` refuses, for the API as well."""

    question = forms.CharField(required=False)
    # The first of the questions that stand open on the page.
    since = forms.IntegerField(required=False)
