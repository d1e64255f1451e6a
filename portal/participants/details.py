"""What a person's name, e-mail and phone may be, for forms and API alike.

Each function gives the value as it is kept, or raises ValidationError with a sentence that
says how to write it.
"""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _

NAME_LENGTH = 120


def clean_name(text: str) -> str:
    name = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if not any(character.isalpha() for character in name):
        raise ValidationError(_("Escriba el nombre de la persona."))
    if len(name) > NAME_LENGTH:
        raise ValidationError(_("El nombre es demasiado largo: caben 120 letras."))
    return name


def clean_email(text: str) -> str:
    email = text.strip().lower()
    if not email:
        raise ValidationError(_("Escriba su correo electrónico."))
    try:
        validate_email(email)
    except ValidationError as error:
        raise ValidationError(
            _("Este correo no está completo. Un ejemplo: nombre@correo.es")
        ) from error
    return email


def clean_phone(text: str) -> str:
    """``+34 600-11 22.33`` -> ``+34600112233``; empty stays empty."""
    compact = re.sub(r"[\s.\-()/]", "", text)
    if compact.startswith("00"):
        compact = f"+{compact[2:]}"
    if compact and not re.fullmatch(r"\+?[0-9]{6,15}", compact, re.ASCII):
        raise ValidationError(_("Escriba el teléfono solo con números, por ejemplo 600 11 22 33."))
    return compact
