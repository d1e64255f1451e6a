from __future__ import annotations


class Refused(Exception):
    """The portal cannot do what was asked.

    ``code`` is stable and for programs, ``public_message`` is a sentence for people in their
    language, and ``status`` the HTTP status that says the same.
    """

    def __init__(self, code: str, public_message: str, *, status: int) -> None:
        super().__init__(code)
        self.code = code
        self.public_message = public_message
        self.status = status
