from __future__ import annotations

from typing import Any, cast

from django import forms
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Team
from portal.assessments.exports.formats import OF_TEAMS


class TakingForm(forms.Form):
    """Which team's fichas are taken away, as what; fields are named as the address shows them."""

    equipo = forms.ModelChoiceField(Team.objects.none(), label=_("Equipo"), empty_label=None)
    formato = forms.ChoiceField(
        label=_("Formato"), choices=[(chosen.value, chosen.label) for chosen in OF_TEAMS]
    )
    nombres = forms.BooleanField(
        label=_("Con el nombre de cada persona"),
        required=False,
        help_text=_(
            "Sin él, cada persona va con una clave. Lo que contaron puede identificarlas igual. "
            "FHIR nunca lleva nombres."
        ),
    )

    def __init__(self, *args: Any, teams: QuerySet[Team], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        team = cast(forms.ModelChoiceField, self.fields["equipo"])  # type: ignore[type-arg]
        team.queryset = teams
