from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts import engines
from portal.conversations.templatetags.conversations import spoken_language

# What is spoken in the offices, Spain's languages first.
LANGUAGES = [
    "es", "ca", "gl", "eu", "en", "fr", "ar", "uk", "ru", "ro", "pt", "de", "it", "bg", "pl", "zh",
    "hi", "bn", "ur", "fa", "sq", "ka", "hy",
]  # fmt: skip


def language_choices() -> list[tuple[str, str]]:
    """(code, name) of what may be spoken; "" lets the engine tell."""
    return [
        ("", gettext("Automático")),
        *((code, spoken_language(code)) for code in LANGUAGES),
    ]


class EngineForm(forms.Form):
    """One of the engines that can work now: ``available`` are (name, name for people). Nothing is
    asked where there is no choice."""

    engine = forms.ChoiceField(label=_("Dónde se transcribe"))

    def __init__(self, *args: Any, default_engine: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.available = engines.choices()
        engine = self.fields["engine"]
        assert isinstance(engine, forms.ChoiceField)  # noqa: S101  # for the type checker
        engine.choices = self.available
        engine.initial = default_engine
        if len(self.available) == 1:
            engine.widget = forms.HiddenInput()
            engine.initial = self.available[0][0]


class UploadForm(EngineForm):
    """What is chosen beside the file; the file itself goes by tus (see uploads.py)."""

    language = forms.ChoiceField(
        label=_("Idioma de la conversación"),
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: Any, default_engine: str, **kwargs: Any) -> None:
        super().__init__(*args, default_engine=default_engine, **kwargs)
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)  # noqa: S101  # for the type checker
        language.choices = language_choices()
