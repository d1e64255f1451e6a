"""`portal`: the product's commands. Each is imported when it is asked for, and no sooner."""

from __future__ import annotations

import os
from importlib import import_module

import click

# NumPy's matrices here are small: a second thread only waits, and takes a third of a core from
# the recogniser beside it. Read when NumPy is first imported, hence here.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_COMMANDS = {
    "up": "portal.operations.commands:up",
    "web": "portal.operations.commands:web",
    "worker": "portal.cli:worker",
    "recogniser": "portal.cli:recogniser",
    "reindex": "portal.cli:reindex",
    "prepare": "portal.operations.commands:prepare",
    "collect": "portal.operations.commands:collect",
    "demo": "portal.operations.commands:demo",
    "doctor": "portal.operations.commands:doctor",
    "createadmin": "portal.operations.commands:createadmin",
    "employee": "portal.operations.commands:employee",
    "transcribe": "portal.speech.command:transcribe",
    "models": "portal.speech.command:models",
    "language-model": "portal.operations.commands:language_model",
    "assess": "portal.analysis.command:assess",
    "ask": "portal.analysis.command:ask",
}


class Commands(click.Group):
    """`portal transcribe` must not import Django, nor `portal up` a speech model."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _, name = _COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=Commands)
def main() -> None:
    """Portal de conversaciones."""


@click.command()
def worker() -> None:
    """Solo el proceso de trabajo: transcribe y rellena fichas."""
    from portal.operations.commands import portal_set_up

    with portal_set_up(quiet=False):
        from portal.pipeline.worker import run

        run()


@click.command()
def recogniser() -> None:
    """Solo el reconocedor: transcribe las conversaciones mientras se graban."""
    from portal.operations.commands import portal_set_up

    with portal_set_up(quiet=False):
        from portal.live.recogniser import run

        run()


@click.command()
def reindex() -> None:
    """Rehace el índice del buscador a partir de la base de datos; si se corta, sigue donde iba."""
    from portal.operations.commands import portal_set_up

    with portal_set_up():
        from portal.search.command import run

        run()


if __name__ == "__main__":
    main(prog_name="portal")
