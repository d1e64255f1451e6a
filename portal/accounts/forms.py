from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from portal.accounts import engines
from portal.accounts.models import Employee


class ProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    """What an employee decides about their own account."""

    language = forms.ChoiceField(label=_("Idioma de las páginas"), choices=settings.LANGUAGES)
    default_engine = forms.ChoiceField(
        label=_("Motor de transcripción"),
        required=False,
        help_text=_("El que se ofrece primero al subir una conversación; allí puede elegir otro."),
    )

    class Meta:
        model = Employee
        fields = ["name", "language", "default_engine", "browser_notifications", "email_digest"]
        labels = {
            "name": _("Nombre y apellidos"),
            "browser_notifications": _("Avisarme con notificaciones del navegador"),
            "email_digest": _("Enviarme un resumen por correo"),
        }
        help_texts = {
            "browser_notifications": _(
                "Cuando tenga el portal abierto en otra pestaña o detrás de otra ventana. No dicen "
                "de quién se trata."
            ),
            "email_digest": _(
                "Como mucho uno al día, si hay algo nuevo sin abrir. Solo dice cuántas hay."
            ),
        }
        error_messages = {"name": {"required": _("Escriba su nombre.")}}
        widgets = {"name": forms.TextInput(attrs={"autocomplete": "name"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        engine = self.fields["default_engine"]
        assert isinstance(engine, forms.ChoiceField)  # noqa: S101  # for the type checker
        engine.choices = [("", _("El de mi equipo")), *engines.choices()]

    def clean_name(self) -> str:
        return " ".join(self.cleaned_data["name"].split())
