from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Nobody signs up alone: a team's coordinator or a command makes the accounts."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _(
            "Esta cuenta está desactivada. Hable con la persona que administra el portal."
        ),
        "email_password_mismatch": _(
            "El correo o la contraseña no son correctos. Compruébelos y vuelva a probar."
        ),
        "too_many_login_attempts": _(
            "Ha habido demasiados intentos seguidos. Espere cinco minutos y vuelva a probar, "
            "o pida una contraseña nueva."
        ),
        "rate_limited": _("Ha habido demasiados intentos seguidos. Espere un poco y repita."),
        "incorrect_password": _("La contraseña no es correcta."),
        "enter_current_password": _("Escriba aquí la contraseña que usa ahora."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False
