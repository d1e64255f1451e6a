"""What a page sends. It always says the version of the turn, or the revision of all corrections,
that it was showing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.conversations.models import Speaker
from portal.corrections.voices import MAX_NAME


class TurnForm(forms.Form):
    version = forms.IntegerField(min_value=0)
    revision = forms.IntegerField(min_value=0)


class TextForm(TurnForm):
    text = forms.CharField(required=False)


class SplitForm(TurnForm):
    """``at``: characters of the text before the second part, which ``speaker`` says."""

    at = forms.IntegerField(min_value=0)
    speaker = forms.IntegerField()


class MergeForm(TurnForm):
    following = forms.IntegerField()
    following_version = forms.IntegerField(min_value=0)


class MoveForm(TurnForm):
    speaker = forms.IntegerField()


class VoiceForm(forms.Form):
    """A voice: its name, or none for the one that its role gives it, and its role."""

    name = forms.CharField(
        label=_("Nombre"),
        required=False,
        max_length=MAX_NAME,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    role = forms.ChoiceField(
        label=_("Quién es"),
        choices=Speaker.Role,
        initial=Speaker.Role.OTHER,
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: Any, speaker: Speaker | None = None, **kwargs: Any) -> None:
        if speaker is not None:
            kwargs |= {"prefix": f"voz-{speaker.pk}"}
            kwargs["initial"] = {"name": speaker.name, "role": speaker.role}
        super().__init__(*args, **kwargs)
        self.speaker = speaker


class NewVoiceForm(VoiceForm):
    """``turn`` and its ``version``: what the new voice said, if anything yet."""

    turn = forms.IntegerField(required=False, widget=forms.HiddenInput)
    version = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
