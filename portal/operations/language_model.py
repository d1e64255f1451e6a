"""`portal language-model`: serves the language model of this machine to the portal's processes."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Any

from portal.analysis.llm import local_models

NICENESS = 10
"""Recordings being made, pages and transcripts come first."""


class CannotServe(Exception):
    """The message says why, and what to do."""


def serve(models_dir: Path, *, port: int, threads: int) -> Any:
    """A server on this machine's own address, with the model loaded. It answers for as long as the
    object that is given lives. Raises CannotServe."""
    problem = local_models.problem(models_dir)
    file = local_models.installed(models_dir)
    if file is not None:
        problem = problem or local_models.too_large(file)
    if problem is not None or file is None:
        raise CannotServe(f"{problem.message} {problem.hint}" if problem else "")
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.model_alias = {file.stem}
    params.hostnames, params.port = ["127.0.0.1"], port
    params.n_ctx, params.n_parallel = local_models.CONTEXT_TOKENS, 1
    params.cpuparams.n_threads = threads
    # Its log and its pages on what it is doing would show what people said.
    params.verbosity = 0
    params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    try:
        return xllamacpp.Server(params)
    except Exception as error:  # a damaged file, a port in use: it says it in its own ways
        raise CannotServe(
            f"No se ha podido cargar {file.name} ({type(error).__name__}). Compruebe que el "
            f"archivo está entero y que nadie más usa el puerto {port}."
        ) from None


def run(models_dir: Path, *, port: int, threads: int) -> None:
    """Until SIGINT or SIGTERM. Raises CannotServe."""
    os.nice(NICENESS)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    server = serve(models_dir, port=port, threads=threads)
    ended.wait()
    del server
