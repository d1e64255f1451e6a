"""The commands that run and look after an installation. Django is imported when one runs."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Iterator
from typing import Any

import click

from portal import environment
from portal.operations import database

_host = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    envvar="PORTAL_HOST",
    help="Dirección en la que se atiende.",
)
_port = click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=8000,
    show_default=True,
    envvar="PORTAL_PORT",
    help="Puerto en el que se atiende.",
)


@contextlib.contextmanager
def portal_set_up(*, quiet: bool = True) -> Iterator[environment.Environment]:
    """Django ready to use, with the embedded database running for as long as the block lasts.

    quiet: log warnings only, for commands that a person reads on a terminal.
    """
    env = environment.read()
    if quiet:
        logging.disable(logging.INFO)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    with contextlib.ExitStack() as stack:
        if env.database_url is None:
            try:
                stack.enter_context(database.running(env.data))
            except (database.DatabaseError, PermissionError) as error:
                raise _refusal(error) from None
        import django

        django.setup()
        yield env


def _refusal(error: Exception) -> click.ClickException:
    if isinstance(error, PermissionError):
        return click.ClickException(
            f"No hay permiso sobre {error.filename}: los datos son de otro usuario. Ejecute el "
            "portal como él, o indique otra carpeta en PORTAL_DATA."
        )
    return click.ClickException(str(error))


@click.command("language-model")
def language_model() -> None:
    """Solo el modelo de lenguaje de este equipo."""
    from portal.operations import language_model as serving

    env = environment.read()
    try:
        serving.run(env.data / "models", port=env.llm_local_port, threads=env.cpu_threads)
    except serving.CannotServe as error:
        raise click.ClickException(str(error)) from None


@click.command()
@click.option("--demo", is_flag=True, help="Con una oficina inventada para probarlo todo.")
@_host
@_port
def up(demo: bool, host: str, port: int) -> None:
    """Pone en marcha el portal entero: base de datos, páginas y proceso de trabajo."""
    from portal.operations import supervisor

    env = environment.read()
    if demo and host not in ("127.0.0.1", "localhost", "::1"):
        raise click.UsageError(
            "La demostración tiene una contraseña conocida por todos: solo se sirve en este equipo."
        )
    try:
        supervisor.up(
            data=env.data.resolve(),
            embedded=env.database_url is None,
            host=host,
            port=port,
            demo=demo,
        )
    except (supervisor.StartError, database.DatabaseError, PermissionError) as error:
        raise _refusal(error) from None


@click.command()
@_host
@_port
@click.option("--fd", type=int, hidden=True, help="Socket abierto por «portal up».")
def web(host: str, port: int, fd: int | None) -> None:
    """Solo las páginas. No prepara nada: antes, «portal prepare»."""
    import socket

    import uvicorn

    with portal_set_up(quiet=False):
        from portal.conversations import scratch
        from portal.live.routing import UVICORN
        from portal.notifications import stream

        class Server(uvicorn.Server):
            async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
                stream.end_all()  # they have no end of their own that could be waited for
                await super().shutdown(sockets)

        config = uvicorn.Config(
            "portal.asgi:application",
            host=host,
            port=port,
            lifespan="off",
            access_log=False,
            server_header=False,
            log_config=None,
            timeout_graceful_shutdown=3,
            **UVICORN,
        )
        sockets = None if fd is None else [socket.socket(fileno=fd)]
        with scratch.own():  # an upload of the API is in a temporary file while it arrives
            Server(config).run(sockets=sockets)


@click.command()
@click.option("--demo", is_flag=True, help="También la oficina de demostración.")
def prepare(demo: bool) -> None:
    """Pone al día las tablas y los archivos de las páginas («portal up» lo hace solo)."""
    with portal_set_up():
        from portal.operations import preparation

        prepared = preparation.prepare(with_demo=demo)
        json.dump(vars(prepared), sys.stdout, ensure_ascii=False)


@click.command()
def collect() -> None:
    """Reúne los archivos de las páginas, si han cambiado."""
    env = environment.read()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    env.data.mkdir(parents=True, exist_ok=True)
    logging.disable(logging.INFO)
    import django

    django.setup()
    from portal.operations import preparation

    preparation.collect()


@click.command()
def demo() -> None:
    """Sigue el procesado de las conversaciones de la oficina de demostración."""
    with portal_set_up():
        from portal.operations import demo as office

        office.follow()


@click.command()
def doctor() -> None:
    """Dice qué falta aquí y cómo arreglarlo. Termina con 1 si falta algo necesario."""
    from portal.operations import doctor as examination

    env = environment.read()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    logging.disable(logging.INFO)
    if examination.report(examination.examine(env), click.echo):
        click.echo("\nNo falta nada.")
    else:
        raise SystemExit(1)


def _account_options(command: Any) -> Any:
    for option in (
        click.option("--password-stdin", is_flag=True, help="Lee la contraseña de la entrada."),
        click.option("--team", prompt="Equipo (oficina)", help="Se crea si no existe."),
        click.option("--name", prompt="Nombre y apellidos"),
        click.option("--email", prompt="Correo electrónico"),
    ):
        command = option(command)
    return command


def _add(
    email: str,
    name: str,
    team: str,
    password_stdin: bool,
    *,
    coordinator: bool,
    administrator: bool,
) -> None:
    if password_stdin:
        password = sys.stdin.readline().rstrip("\n")
    else:
        password = click.prompt("Contraseña", hide_input=True, confirmation_prompt="Otra vez")
    with portal_set_up():
        from portal.operations import employees, preparation

        preparation.create_tables()
        try:
            made = employees.add_employee(
                email=email,
                name=name,
                team=team,
                password=password,
                coordinator=coordinator,
                administrator=administrator,
            )
        except employees.AccountError as error:
            raise click.ClickException(f"No se ha creado la cuenta. {error}") from None
    click.echo(f"Ya puede entrar {made.name} ({made.email}), del equipo «{team}».")


@click.command()
@_account_options
def createadmin(email: str, name: str, team: str, password_stdin: bool) -> None:
    """Crea la primera cuenta: administra el portal y coordina su equipo."""
    _add(email, name, team, password_stdin, coordinator=True, administrator=True)


@click.group()
def employee() -> None:
    """Cuentas de quienes trabajan con el portal."""


@employee.command("add")
@_account_options
@click.option("--coordinator", is_flag=True, help="Coordina el equipo.")
def add(email: str, name: str, team: str, password_stdin: bool, coordinator: bool) -> None:
    """Crea la cuenta de una persona empleada o voluntaria."""
    _add(email, name, team, password_stdin, coordinator=coordinator, administrator=False)
