"""`portal reindex`."""

from __future__ import annotations

import click

from portal.search import meaning, understanding
from portal.search.backends import get_backend
from portal.search.backends.base import SearchDown
from portal.search.rebuilding import rebuild
from portal.search.sources import SOURCES

MEANING = "meaning"


def run() -> None:
    """With a bar for each kind. Raises click.ClickException when the engine does not answer."""
    headings = {source.kind: str(source.heading) for source in SOURCES}
    bars = Bars(headings | {MEANING: "Significado de lo dicho"})
    try:
        rebuild(get_backend(), told=bars.told)
        understand(bars)
    except SearchDown:
        raise click.ClickException(
            "El buscador no responde. Lo hecho queda hecho: repita la orden y seguirá donde iba."
        ) from None
    finally:
        bars.close()
    click.echo("El índice del buscador está al día.")


def understand(bars: Bars) -> None:
    """Read what is still to be read; what is interrupted goes on with the rest."""
    meaning.set_up()
    if meaning.lacking() is not None:
        return
    meaning.put_in_line()
    total, done = meaning.waiting(), 0

    def told(more: int) -> None:
        nonlocal done
        done += more
        bars.told(MEANING, min(done, total), total)

    bars.told(MEANING, 0, total)
    understanding.catch_up(told=told, enough=lambda: False)


class Bars:
    """One progress bar after the other."""

    def __init__(self, headings: dict[str, str]) -> None:
        self._headings = headings
        self._kind = ""
        self._bar: click._termui_impl.ProgressBar[int] | None = None

    def told(self, kind: str, done: int, total: int) -> None:
        if kind != self._kind:
            self.close()
            self._kind = kind
            self._bar = click.progressbar(length=total, label=f"{self._headings[kind]:<26}")
            self._bar.render_progress()
        assert self._bar is not None  # noqa: S101  # for the type checker
        self._bar.update(done - self._bar.pos)

    def close(self) -> None:
        if self._bar is not None:
            self._bar.render_finish()
            self._bar = None
