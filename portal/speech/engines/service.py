"""What the engines that ask somebody else's service have in common: what is said when it fails,
and what they do not do."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec

from portal.engine import EngineError, Problem
from portal.speech.engines.base import Options, TranscriptStream, Word

SAFE = "La grabación está guardada."

DENIED = frozenset({401, 402, 403})
MAY_PASS = frozenset({408, 409, 425, 429})
"""With those from 500 on, the statuses after which the same request may be taken."""


def refused(service: str, status: int) -> EngineError:
    """Of a service that answers with an HTTP ``status`` that is none of success."""
    if status in DENIED:
        return EngineError(
            f"{service} no acepta la clave de este portal, o su contrato no lo permite. {SAFE} "
            "Avise a quien administra el portal, o elija otro motor."
        )
    if status == 429:
        return EngineError(f"{service} no da abasto en este momento. {SAFE}", retryable=True)
    if status in MAY_PASS or status >= 500:
        return EngineError(f"{service} no funciona en este momento. {SAFE}", retryable=True)
    return EngineError(f"{service} no ha aceptado esta grabación. {SAFE} Pruebe con otro motor.")


def unreachable(service: str) -> EngineError:
    return EngineError(
        f"No se ha podido hablar con {service}, o se ha cortado la comunicación. {SAFE}",
        retryable=True,
    )


def unreadable(service: str) -> EngineError:
    """What it answered makes no sense. Asking again would cost as much and bring the same."""
    return EngineError(
        f"{service} ha contestado algo que no se entiende. {SAFE} Pruebe con otro motor."
    )


def lacks(service: str, package: str) -> list[Problem]:
    """The package that speaks to the service, where this installation has none."""
    if find_spec(package):
        return []
    return [
        Problem(
            f"Falta el programa que habla con {service}.",
            "Ejecute «make setup», o instale el portal con todos sus extras.",
        )
    ]


def first_of(problems: Sequence[Problem]) -> None:
    """Raises EngineError where there is a problem."""
    if problems:
        raise EngineError(f"{problems[0].message} {SAFE} Elija otro motor.")


class FilesOnly:
    """Of an engine that takes whole recordings."""

    supports_streaming = False

    def stream(
        self,
        *,
        options: Options,
        start: float = 0.0,
        turns: int = 0,
        voices: Mapping[str, Sequence[float]] | None = None,
        room: Callable[[], bool] = lambda: False,
    ) -> TranscriptStream:
        raise EngineError("Este motor no transcribe mientras se graba.")


def spread(tokens: Sequence[str], *, start: float, end: float, probability: float) -> list[Word]:
    """Words over a stretch of which only the whole is timed, each by its length."""
    lengths = [len(token) + 1 for token in tokens]
    words, at = [], start
    for token, length in zip(tokens, lengths, strict=True):
        until = at + (end - start) * length / sum(lengths)
        words.append(Word(token, at, until, probability))
        at = until
    return words
