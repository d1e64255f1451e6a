from __future__ import annotations

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Employee
from portal.conversations.models import Conversation
from portal.conversations.refusals import SPEAKERS
from portal.conversations.templatetags.conversations import spoken_language
from portal.participants.models import Participant
from portal.participants.offers import can_be_asked, offers

# What is spoken in the offices, Spain's languages first.
LANGUAGES = [
    "es", "ca", "gl", "eu", "en", "fr", "ar", "uk", "ru", "ro", "pt", "de", "it", "bg", "pl", "zh",
    "hi", "bn", "ur", "fa", "sq", "ka", "hy",
]  # fmt: skip

SPEAKERS_WORDS = {2: _("Dos"), 3: _("Tres, con intérprete o familiar"), 4: _("Cuatro")}


def language_choices() -> list[tuple[str, str]]:
    """(code, name) of what may be spoken; "" lets the engine tell."""
    return [
        ("", gettext("Automático")),
        *((code, spoken_language(code)) for code in LANGUAGES),
    ]


def speakers_choices() -> list[tuple[int, str]]:
    """(number, words) of how many people may talk, the usual first."""
    return [(number, str(SPEAKERS_WORDS[number])) for number in SPEAKERS]


class EngineForm(forms.Form):
    """One of the engines that can work for this person now: ``available`` are (name, name for
    people), ``others`` those that cannot. Nothing is asked where there is no choice."""

    engine = forms.ChoiceField(label=_("Dónde se transcribe"))

    def __init__(
        self, *args: Any, participant: Participant, default_engine: str, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        offered = offers(participant)
        self.available = [(offer.name, offer.label) for offer in offered if not offer.reason]
        self.others = [offer for offer in offered if offer.reason]
        self.can_be_asked = can_be_asked(participant)
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

    speakers = forms.TypedChoiceField(
        label=_("Cuántas personas hablan"),
        coerce=int,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language = self.fields["language"]
        assert isinstance(language, forms.ChoiceField)  # noqa: S101  # for the type checker
        language.choices = language_choices()
        speakers = self.fields["speakers"]
        assert isinstance(speakers, forms.ChoiceField)  # noqa: S101
        speakers.choices = speakers_choices()


def seen_of(conversation: Conversation) -> str:
    """What a person sees of it, to be told from what it is when they save."""
    return f"{conversation.title}|{conversation.description}"


class DescriptionForm(forms.ModelForm):  # type: ignore[type-arg]
    """``seen`` is what the person was looking at (`seen_of`)."""

    seen = forms.CharField(required=False, strip=False)

    class Meta:
        model = Conversation
        fields = ["title", "description"]
        widgets = {
            "title": forms.TextInput(attrs={"autocomplete": "off"}),
            "description": forms.Textarea,
        }

    def __init__(
        self, data: QueryDict | None, *, conversation: Conversation, employee: Employee
    ) -> None:
        self.now, self.employee = seen_of(conversation), employee
        self.titled_by = conversation.titled_by
        super().__init__(data, instance=conversation)

    def clean(self) -> dict[str, Any]:
        """Refuses, once, to write over what was saved in the meantime by somebody else."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("seen") != self.now and self.titled_by != self.employee:
            title, _mark, description = self.now.partition("|")
            raise forms.ValidationError(
                gettext(
                    "Mientras escribía, %(name)s guardó: «%(title)s». %(description)s Si guarda "
                    "ahora, lo suyo lo sustituye."
                )
                % {
                    "name": self.titled_by or gettext("el portal"),
                    "title": title,
                    "description": description,
                }
            )
        return cleaned
