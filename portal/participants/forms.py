from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts import engines
from portal.accounts.models import Employee, Team
from portal.participants import consent, details
from portal.participants.models import Participant


class ParticipantForm(forms.ModelForm):  # type: ignore[type-arg]
    """A new person, or the details of one. The team is asked only when there is a choice."""

    team = forms.ModelChoiceField(
        label=_("Equipo que atiende a la persona"),
        queryset=Team.objects.none(),
        error_messages={
            "required": _("Elija el equipo que atenderá a esta persona."),
            "invalid_choice": _("Ese equipo no es uno de los suyos. Elija otro."),
        },
    )
    phone = forms.CharField(
        label=_("Teléfono"),
        required=False,
        max_length=30,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "tel", "autocomplete": "off"}),
    )

    class Meta:
        model = Participant
        fields = ["name", "email", "phone"]
        labels = {"name": _("Nombre y apellidos"), "email": _("Correo electrónico")}
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "off"}),
            "email": forms.EmailInput(attrs={"autocomplete": "off"}),
        }
        error_messages = {
            "name": {"required": _("Escriba el nombre de la persona.")},
            "email": {
                "required": _("Escriba su correo electrónico."),
                "invalid": _("Este correo no está completo. Un ejemplo: nombre@correo.es"),
            },
        }

    def __init__(self, *args: Any, employee: Employee, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = Team.objects.filter(memberships__employee=employee)
        team = self.fields["team"]
        assert isinstance(team, forms.ModelChoiceField)  # noqa: S101  # for the type checker
        self.only_team: Team | None = None
        if not self.instance._state.adding:
            del self.fields["team"]
        elif len(found := list(teams[:2])) == 1:
            self.only_team = found[0]
            del self.fields["team"]
        else:
            team.queryset = teams
            team.empty_label = gettext("Elija un equipo")

    def clean_name(self) -> str:
        return details.clean_name(self.cleaned_data["name"])

    def clean_email(self) -> str:
        return details.clean_email(self.cleaned_data["email"])

    def clean_phone(self) -> str:
        return details.clean_phone(self.cleaned_data["phone"])

    @property
    def chosen_team(self) -> Team:
        """Of a valid form for a new person."""
        return self.only_team or self.cleaned_data["team"]


class ConsentForm(forms.Form):
    """What a person agreed to after hearing `wording`; ticked by the employee, in their name."""

    consent_language = forms.ChoiceField(
        label=_("Idioma en que se ha leído"), choices=consent.languages
    )
    record = forms.BooleanField(
        label=_("Acepta que se grabe la conversación"),
        error_messages={
            "required": _("Sin su acuerdo no se puede guardar la grabación."),
        },
    )
    analyse = forms.BooleanField(
        label=_("Acepta que un programa la pase a texto y proponga las respuestas de su ficha"),
        error_messages={
            "required": _("Sin su acuerdo no se puede pasar la conversación a texto."),
        },
    )
    share = forms.BooleanField(
        label=_("Acepta que se comparta con otros servicios que puedan ayudarle"), required=False
    )
    external = forms.BooleanField(
        label=_("Acepta que un servicio externo reciba la grabación o el texto para tratarlos"),
        required=False,
    )

    def __init__(self, *args: Any, team: Team, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["consent_language"].initial = consent.DEFAULT_LANGUAGE
        self.external_is_asked = engines.may_go_outside(team)
        if not self.external_is_asked:
            del self.fields["external"]

    def wordings(self) -> list[tuple[str, str, str]]:
        """(code, language's name, text to read) of every language, for the page to show one."""
        organisation = settings.ENV.organisation
        return [
            (
                code,
                name,
                consent.wording(code, organisation=organisation, external=self.external_is_asked),
            )
            for code, name in consent.languages()
        ]
