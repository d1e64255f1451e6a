"""Forms of the editor of questionnaires."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.assessments import blueprint, editing
from portal.assessments.blueprint import CHOOSING, COLOURS, ICON, PlannedQuestion
from portal.assessments.models import Domain, Question, Questionnaire

ICONS = (
    (ICON, _("Conversación")),
    ("person-vcard", _("Documento de identidad")),
    ("cash-coin", _("Dinero")),
    ("briefcase", _("Trabajo")),
    ("house-heart", _("Hogar")),
    ("house-door", _("Vivienda")),
    ("heart-pulse", _("Salud")),
    ("people", _("Personas")),
    ("mortarboard", _("Estudios")),
    ("translate", _("Idiomas")),
    ("calendar-event", _("Fechas")),
    ("hand-thumbs-up", _("Ayuda")),
)
COLOUR_NAMES = {
    "violet": _("Violeta"),
    "amber": _("Ámbar"),
    "blue": _("Azul"),
    "rose": _("Rosa"),
    "green": _("Verde"),
    "teal": _("Turquesa"),
    "orange": _("Naranja"),
}


class DraftForm(forms.Form):
    name = forms.CharField(label=_("Nombre del cuestionario"), max_length=120)


class PartForm(forms.Form):
    """``seen``: as what the page showed the part (`editing.version_of`); "" for a new one."""

    seen = forms.CharField(required=False, widget=forms.HiddenInput)

    def compare(self, now: Question | Domain) -> list[tuple[str, str]]:
        """Label and text of what is otherwise ``now`` than it is written here. What is written
        stays and may be saved over it, since it has been seen then."""
        initial = initial_of(now)
        assert isinstance(self.data, QueryDict)  # noqa: S101  # for the type checker
        self.data = self.data.copy()
        self.data["seen"] = initial.pop("seen")
        return [
            (str(self.fields[name].label), _shown(self.fields[name], value))
            for name, value in initial.items()
            if str(value or "").split() != str(self[name].data or "").split()
        ]


class DomainForm(PartForm):
    name = forms.CharField(label=_("Nombre del ámbito"), max_length=80)
    colour = forms.ChoiceField(label=_("Color"), choices=[(c, COLOUR_NAMES[c]) for c in COLOURS])
    icon = forms.ChoiceField(label=_("Icono"), choices=ICONS)

    def __init__(self, *args: Any, domain: Domain | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # One that came with a file stays.
        if domain is not None and domain.icon not in dict(ICONS):
            icons = self.fields["icon"]
            assert isinstance(icons, forms.ChoiceField)  # noqa: S101  # for the type checker
            icons.choices = [*ICONS, (domain.icon, domain.icon)]


class QuestionForm(PartForm):
    """``question`` is None for a new one. What several lines hold has one a line."""

    text = forms.CharField(
        label=_("Texto de la pregunta"), max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )
    kind = forms.ChoiceField(label=_("Se responde con"), choices=Question.Kind)
    choices = forms.CharField(
        label=_("Opciones"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "Una por línea. Si quiere dar un nombre a la opción para sus hojas de cálculo, "
            "escríbalo delante: «alquiler = Vive de alquiler»."
        ),
    )
    prompt = forms.CharField(
        label=_("Frase para preguntarlo"),
        required=False,
        max_length=300,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Con palabras de todos los días. Se muestra mientras se graba."),
    )
    hint = forms.CharField(label=_("Ayuda"), required=False, max_length=300)
    required = forms.BooleanField(label=_("Obligatoria"), required=False)
    examples = forms.CharField(
        label=_("Frases de ejemplo"),
        required=False,
        max_length=30_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_(
            "Una por línea: maneras de preguntarlo, con su «?», y de responderlo. Con unas diez de "
            "cada, el análisis la reconoce mejor."
        ),
    )
    cues = forms.CharField(
        label=_("Palabras que la delatan"),
        required=False,
        max_length=60_000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "Una por línea, sin acentos: «alquiler», «¿donde vive*?» si la pregunta, «+vivo en» si "
            "la responde."
        ),
    )
    relevant = forms.CharField(
        label=_("Solo si"),
        required=False,
        max_length=300,
        help_text=_(
            "Como en XLSForm, con el nombre de una pregunta anterior: «${vivienda} = 'alquiler'»."
        ),
    )
    domain = forms.ModelChoiceField(
        label=_("Ámbito"), queryset=Domain.objects.none(), empty_label=None
    )

    def __init__(
        self, *args: Any, draft: Questionnaire, question: Question | None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.draft, self.question = draft, question
        domains = self.fields["domain"]
        assert isinstance(domains, forms.ModelChoiceField)  # noqa: S101  # for the type checker
        domains.queryset = draft.domains.all()

    def planned(self) -> PlannedQuestion:
        """What was written; its name is its own, or made of its text."""
        cleaned, question = self.cleaned_data, self.question
        choosing = cleaned["kind"] in CHOOSING
        written = blueprint.lines(cleaned["choices"]) if choosing else ()
        choices = editing.choices_from(written, question.choices if question else [])
        text = blueprint.clean(cleaned["text"])
        return PlannedQuestion(
            slug=question.slug if question else editing.new_slug(self.draft, text),
            text=text,
            kind=cleaned["kind"],
            prompt=blueprint.clean(cleaned["prompt"]),
            hint=blueprint.clean(cleaned["hint"]),
            required=cleaned["required"],
            choices=choices,
            relevant=blueprint.clean(cleaned["relevant"]),
            cues=blueprint.lines(cleaned["cues"]),
            examples=blueprint.lines(cleaned["examples"]),
            translations=_still_there(question.translations, choices) if question else {},
        )


def initial_of(part: Question | Domain) -> dict[str, Any]:
    seen = editing.version_of(part)
    if isinstance(part, Domain):
        return {"seen": seen, "name": part.name, "colour": part.colour, "icon": part.icon}
    return {
        "seen": seen,
        "text": part.text,
        "kind": part.kind,
        "choices": "\n".join(f"{c['name']} = {c['label']}" for c in part.choices),
        "prompt": part.prompt,
        "hint": part.hint,
        "required": part.required,
        "examples": "\n".join(part.examples),
        "cues": "\n".join(part.cues),
        "relevant": part.relevant,
        "domain": part.domain_id,
    }


def _shown(field: forms.Field, value: object) -> str:
    if isinstance(field, forms.ChoiceField):
        choices = cast("Iterable[tuple[object, str]]", field.choices)
        return str(dict(choices).get(value, value))
    if isinstance(field, forms.BooleanField):
        return gettext("Sí") if value else gettext("No")
    return str(value)


def _still_there(
    translations: dict[str, Any], choices: tuple[tuple[str, str], ...]
) -> dict[str, Any]:
    """Without those of options that are gone."""
    names = {name for name, _label in choices}
    kept: dict[str, Any] = {}
    for code, told in translations.items():
        labels = {n: label for n, label in told.get("choices", {}).items() if n in names}
        kept[code] = {part: text for part, text in told.items() if part != "choices"}
        if labels:
            kept[code]["choices"] = labels
    return kept


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("Fichero XLSForm (.xlsx)"),
        widget=forms.ClearableFileInput(
            attrs={
                "accept": ".xlsx,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
            }
        ),
    )

    @property
    def content(self) -> bytes:
        content: bytes = self.cleaned_data["file"].read()
        return content
