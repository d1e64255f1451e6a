"""``portal transcribe`` and ``portal models``: speech to text from a shell, with no database."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from portal.speech.engines.base import Transcript

FORMATS = ("json", "vtt", "srt", "txt")
UNCHECKED = "sin suma conocida: se compara con la que publica el repositorio"

models_dir_option = click.option(
    "--models-dir",
    type=click.Path(file_okay=False, path_type=Path),
    default=None,
    help="Carpeta de los modelos (por defecto, $PORTAL_DATA/models o var/models).",
)


@click.command()
@click.argument("audio", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--engine", default="local", show_default=True, help="Motor: local, aws, deepgram, openai."
)
@click.option("--language", default="auto", show_default=True, help="Código ISO 639-1, o auto.")
@click.option(
    "--speakers", type=click.IntRange(1, 10), default=2, show_default=True, help="Cuántos hablan."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="json",
    show_default=True,
    help="Salida.",
)
@click.option(
    "--model",
    envvar="PORTAL_WHISPER_MODEL",
    default="auto",
    show_default=True,
    help="Modelo local: auto, un nombre o una carpeta.",
)
@click.option(
    "--threads",
    envvar="PORTAL_CPU_THREADS",
    type=click.IntRange(1, 64),
    default=2,
    show_default=True,
    help="Hilos del motor local.",
)
@models_dir_option
def transcribe(
    audio: Path,
    engine: str,
    language: str,
    speakers: int,
    form: str,
    model: str,
    threads: int,
    models_dir: Path | None,
) -> None:
    """Transcribe AUDIO y distingue a quienes hablan."""
    from portal.engine import EngineError
    from portal.speech.engines import get_engine
    from portal.speech.engines.base import Audio, Options
    from portal.speech.formats import FORMATS as WRITERS
    from portal.speech.models import default_models_dir

    folder = models_dir or default_models_dir()
    options: dict[str, Any] = {
        "local": {"models_dir": folder, "model": model, "cpu_threads": threads},
        **_outside(folder),
    }.get(engine, {})
    wanted = Options(language=None if language == "auto" else language, speakers=speakers)
    try:
        transcript = get_engine(engine, **options).transcribe(
            Audio(audio), options=wanted, progress=_show_progress
        )
    except EngineError as error:
        raise click.ClickException(error.public_message) from error
    finally:
        _end_progress()
    click.echo(WRITERS[form](transcript, _roles(transcript)).rstrip("\n"))


def _outside(models_dir: Path) -> dict[str, dict[str, Any]]:
    """By engine, what it is made with. The same variables as those of an installation; those that
    are not set are left to the engine."""

    def given(prefix: str, **names: str) -> dict[str, Any]:
        found = {
            option: os.environ.get(f"PORTAL_{prefix}_{name}") for option, name in names.items()
        }
        return {"models_dir": models_dir, **{key: value for key, value in found.items() if value}}

    return {
        "aws": given(
            "AWS_TRANSCRIBE",
            bucket="BUCKET",
            region="REGION",
            kms_key="KMS_KEY",
            vocabulary="VOCABULARY",
        ),
        "deepgram": given("DEEPGRAM", api_key="API_KEY", url="URL", model="MODEL"),
        "openai": given("OPENAI", base_url="BASE_URL", api_key="API_KEY", model="MODEL"),
    }


@click.group()
def models() -> None:
    """Modelos de transcripción y de lenguaje: cuáles hay y cómo conseguir otros."""


@models.command("list")
@click.option("--model", envvar="PORTAL_WHISPER_MODEL", default="auto", hidden=True)
@models_dir_option
def list_models(model: str, models_dir: Path | None) -> None:
    """Enseña los modelos conocidos, los instalados y el que se usa (*)."""
    from portal.speech.models import default_models_dir, describe

    for state in describe(model, models_dir=models_dir or default_models_dir()):
        known = state.model
        mark = "*" if state.in_use else " "
        there = "instalado" if state.folder else "no instalado"
        click.echo(
            f"{mark} {known.name:<15} {known.megabytes:>5} MB  memoria "
            f"{known.memory_megabytes:>5} MB  {known.licence}  {there:<12}  {known.note}"
        )
    _list_language_models(models_dir or default_models_dir())


@models.command("pull")
@click.argument("name")
@models_dir_option
def pull_model(name: str, models_dir: Path | None) -> None:
    """Descarga el modelo NAME: de transcripción o de lenguaje, como los nombra «models list»."""
    from portal.analysis.llm import local_models
    from portal.speech.models import ModelUnavailable, default_models_dir, pull

    click.echo(f"Descargando {name}. Puede tardar varios minutos.", err=True)
    if name in [model.name for model in local_models.LANGUAGE_MODELS]:
        try:
            click.echo(str(local_models.pull(name, models_dir=models_dir or default_models_dir())))
        except local_models.CannotPull as error:
            raise click.ClickException(str(error)) from None
        return
    try:
        folder = pull(name, models_dir=models_dir or default_models_dir())
    except ModelUnavailable as error:
        raise click.ClickException(f"{error.problem.message}\n{error.problem.hint}") from error
    click.echo(str(folder))


def _list_language_models(models_dir: Path) -> None:
    from portal.analysis.llm import local_models

    used = local_models.installed(models_dir)
    for model in local_models.LANGUAGE_MODELS:
        there = (models_dir / local_models.FOLDER / model.file).exists()
        click.echo(
            f"{'*' if used and used.name == model.file else ' '} {model.name:<15} "
            f"{model.megabytes:>5} MB  memoria {model.memory_megabytes:>5} MB  {model.licence}  "
            f"{'instalado' if there else 'no instalado':<12}  {model.note}"
        )
        checked = f"sha256 {model.sha256}" if model.sha256 else UNCHECKED
        click.echo(f"  {'':<15} {checked}")
    if used and used.name not in [model.file for model in local_models.LANGUAGE_MODELS]:
        size = used.stat().st_size / 1e6
        click.echo(f"* {used.name}  {size:.0f} MB  de lenguaje, puesto a mano")


def _roles(transcript: Transcript) -> dict[str, str]:
    from portal.speech.roles import assign_roles

    found = assign_roles(transcript.turns)
    return dict(found.roles) if found.decided else {}


def _show_progress(share: float) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{share:4.0%}", nl=False, err=True)


def _end_progress() -> None:
    if sys.stderr.isatty():
        click.echo("", err=True)
