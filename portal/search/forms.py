from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.accounts.models import Employee
from portal.assessments.models import Domain, Sheet
from portal.participants import queries as participants
from portal.participants.models import Participant
from portal.search.questions import LONGEST, Filters, Question, read
from portal.search.sources import SOURCES

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class DayField(forms.DateField):
    """A year is typed digit by digit: those that nobody means count for nothing."""

    widget = forms.DateInput(attrs={"type": "date", "class": "form-control"})
    default_validators = [
        MinValueValidator(date(1900, 1, 1)),
        MaxValueValidator(date(2200, 1, 1)),
    ]

    def __init__(self, *, label: StrOrPromise) -> None:
        super().__init__(label=label, required=False)


class SearchForm(forms.Form):
    """What is looked for, and where. Everything is optional: it is sent while one types, and what
    is not right yet narrows nothing."""

    q = forms.CharField(label=_("Buscar"), required=False, strip=False, max_length=LONGEST)
    desde = DayField(label=_("Desde"))
    hasta = DayField(label=_("Hasta"))
    # Not a CheckboxInput, though it is drawn as one: that knows only whether it is checked.
    persona = forms.ModelChoiceField(
        Participant.objects.none(), required=False, widget=forms.HiddenInput
    )
    empleado = forms.ModelChoiceField(
        Employee.objects.none(),
        label=_("Quién la trajo"),
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    ambito = forms.ChoiceField(
        label=_("Ámbito respondido"),
        required=False,
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    significado = forms.BooleanField(
        label=_("Buscar por significado"),
        required=False,
        widget=forms.CheckboxInput(
            attrs={"class": "form-check-input", "role": "switch", "id": "search-meaning"}
        ),
    )
    de = forms.ChoiceField(
        choices=[("", ""), *((source.kind, "") for source in SOURCES)], required=False
    )

    def __init__(self, *args: Any, employee: Employee, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        teams = participants.teams_of(employee)
        self._choose("persona", participants.visible_to(employee))
        colleagues = Employee.objects.filter(memberships__team__in=teams).distinct()
        self._choose("empleado", colleagues.order_by("name"))
        used = Sheet.objects.filter(participant__in=participants.visible_to(employee))
        domains = (
            Domain.objects.filter(questionnaire__in=used.values("questionnaire"))
            .order_by("questionnaire", "position")
            .values_list("slug", "name")
        )
        field = self.fields["ambito"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101  # for the type checker
        field.choices = [("", gettext("Cualquiera")), *dict(domains).items()]

    def _choose(self, name: str, among: Any) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101  # for the type checker
        field.queryset = among
        field.empty_label = gettext("Cualquiera")

    def narrowing(self) -> list[forms.BoundField]:
        """The filters that are always offered."""
        return [self[name] for name in ("desde", "hasta", "empleado", "ambito")]

    def asked(self) -> Question:
        """What of it is right."""
        self.is_valid()
        given = self.cleaned_data
        return read(
            given.get("q") or "",
            Filters(
                since=given.get("desde"),
                until=given.get("hasta"),
                participant=given["persona"].pk if given.get("persona") else None,
                brought_by=given["empleado"].pk if given.get("empleado") else None,
                domain=given.get("ambito") or None,
            ),
        )
