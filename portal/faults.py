"""What may be said in a log of an error that went through somebody's words."""

from __future__ import annotations

import traceback


def kind_and_place(error: BaseException) -> str:
    """The error's type and where it was raised; never its message, which may carry what people
    said: messages of libraries quote what they could not take."""
    return f"{type(error).__name__}\n" + "".join(traceback.format_tb(error.__traceback__))
