"""Language models that run on this machine: which are known, where they are, whether they fit.

A model is a GGUF file in ``MODELS/llm``; any will do that somebody puts there, and ``pull`` fetches
the ones recommended here. Nothing here imports a model runtime.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from portal.engine import Problem

PACKAGE = "xllamacpp"
FOLDER = "llm"
CONTEXT_TOKENS = 16_000
_BESIDE = 1.25
"""What a model takes in memory beyond its file: what it has read, and its working space."""

_MEMINFO = Path("/proc/meminfo")


class CannotPull(Exception):
    """The model cannot be had; the message says why, in Spanish."""


@dataclass(frozen=True, slots=True)
class LanguageModel:
    """One that ``pull`` knows. ``sha256`` of the file is checked after the download; while nobody
    has looked it up, that which its repository tells."""

    name: str
    repository: str
    file: str
    megabytes: int
    licence: str
    note: str
    sha256: str = ""

    @property
    def memory_megabytes(self) -> int:
        return round(self.megabytes * _BESIDE)


LANGUAGE_MODELS = (
    LanguageModel(
        "qwen3-8b", "Qwen/Qwen3-8B-GGUF", "Qwen3-8B-Q4_K_M.gguf", 5030, "Apache-2.0",
        "mejor; conviene una tarjeta gráfica o paciencia",
    ),
    LanguageModel(
        "granite-3.3-8b", "ibm-granite/granite-3.3-8b-instruct-GGUF",
        "granite-3.3-8b-instruct-Q4_K_M.gguf", 4940, "Apache-2.0", "alternativa",
    ),
    LanguageModel(
        "qwen3-4b", "Qwen/Qwen3-4B-GGUF", "Qwen3-4B-Q4_K_M.gguf", 2500, "Apache-2.0",
        "cabe en un portátil",
    ),
)  # fmt: skip
"""Best first. Smaller ones invent answers."""


def installed(models_dir: Path) -> Path | None:
    """The file that is used: the recommended ones first, then the largest."""
    files = list((models_dir / FOLDER).glob("*.gguf"))
    known = {model.file: number for number, model in enumerate(LANGUAGE_MODELS)}
    order = sorted(files, key=lambda f: (known.get(f.name, len(known)), -f.stat().st_size, f.name))
    return order[0] if order else None


def problem(models_dir: Path) -> Problem | None:
    """Why no model can be run here; nothing is loaded to find out."""
    if find_spec(PACKAGE) is None:
        return Problem(f"Falta el paquete «{PACKAGE}».", "Ejecute «make setup».")
    file = installed(models_dir)
    if file is None:
        return Problem(
            "No hay ningún modelo de lenguaje en este equipo.",
            f"Ejecute «portal models pull {LANGUAGE_MODELS[-1].name}», o copie un modelo GGUF en "
            f"{models_dir / FOLDER}.",
        )
    return None


def memory(file: Path) -> float:
    """Bytes that it takes, about."""
    return file.stat().st_size * _BESIDE


def too_large(file: Path, *, meminfo: Path = _MEMINFO) -> Problem | None:
    """Asked before loading: a machine that runs out of memory stops recording as well."""
    needed = memory(file)
    available = _available(meminfo)
    if available is None or needed <= available:
        return None
    return Problem(
        f"El modelo {file.stem} necesita {needed / 1e9:.1f} GB de memoria y hay "
        f"{available / 1e9:.1f} GB libres.",
        "Cierre otros programas o use un modelo más pequeño.",
    )


def _available(meminfo: Path) -> int | None:
    """Bytes; None where the system does not say."""
    try:
        lines = meminfo.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return None


def pull(name: str, *, models_dir: Path) -> Path:
    """Fetches a recommended model and checks it; raises CannotPull."""
    model = next((model for model in LANGUAGE_MODELS if model.name == name), None)
    if model is None:
        raise CannotPull(f"No se conoce el modelo «{name}».")
    try:
        from huggingface_hub import get_hf_file_metadata, hf_hub_download, hf_hub_url

        address = hf_hub_url(model.repository, model.file)
        expected = model.sha256 or get_hf_file_metadata(address).etag
        folder = models_dir / FOLDER
        file = Path(hf_hub_download(model.repository, model.file, local_dir=folder))
    except Exception as error:  # its many ways to say that there is no network
        raise CannotPull(
            f"No se ha podido descargar {name} ({type(error).__name__}). Hace falta red; sin ella, "
            f"copie el archivo {model.file} en {models_dir / FOLDER}."
        ) from None
    with file.open("rb") as opened:
        found = hashlib.file_digest(opened, "sha256").hexdigest()
    if expected != found:
        file.unlink()
        raise CannotPull(
            f"Lo descargado de {name} no tiene la suma esperada: está dañado o es otro. Se ha "
            "borrado; pruebe otra vez."
        )
    return file
