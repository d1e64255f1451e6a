"""What has to be right before the portal serves: tables, static files, the demo if asked for.

One process does all of it, since starting Django is most of the cost; each part looks first
whether there is anything to do. Progress goes to standard error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import click
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from portal.accounts.models import Employee
from portal.operations import demo
from portal.search import meaning

# Any number that nobody else uses; two portals on one database prepare one after another.
_LOCK = 7_203_615
# Variants that packages bring and no page uses; compressing them is most of the time it takes.
_UNUSED = [
    "bootstrap-grid*",
    "bootstrap-reboot*",
    "bootstrap-utilities*",
    "*.rtl.*",
    "browser-test-bundle*",
    "redoc*",
]


@dataclass
class Prepared:
    demo_pending: int = 0
    welcome: list[str] = field(default_factory=list)


def prepare(*, with_demo: bool) -> Prepared:
    collect()
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s)", [_LOCK])
        try:
            create_tables()
            if with_demo:
                demo.build()
        finally:
            cursor.execute("select pg_advisory_unlock(%s)", [_LOCK])
    if with_demo:
        return Prepared(demo.pending(), demo.welcome())
    if not Employee.objects.exists():
        return Prepared(
            welcome=[
                "Todavía no hay nadie que pueda entrar: "
                "cree la primera cuenta con «portal createadmin»."
            ]
        )
    return Prepared()


def unapplied_migrations() -> int:
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def collect() -> None:
    """Gather, compress and name the static files when any is newer than what was gathered."""
    missing = missing_components()
    if missing:
        raise click.ClickException(
            f"Faltan componentes de las páginas ({', '.join(missing)}): ejecute «make setup»."
        )
    manifest = Path(settings.STATIC_ROOT) / "staticfiles.json"
    # When a file came here (ctime), not when it was written: npm gives its files a date of 1985.
    newest = max(
        Path(storage.path(name)).stat().st_ctime
        for finder in get_finders()
        for name, storage in finder.list([])
    )
    if manifest.exists() and manifest.stat().st_mtime > newest:
        return
    click.echo("Archivos de las páginas…", err=True)
    call_command("collectstatic", interactive=False, verbosity=0, ignore_patterns=_UNUSED)
    manifest.touch()


def missing_components() -> list[str]:
    return [
        Path(folder).name for _, folder in settings.STATICFILES_DIRS if not Path(folder).is_dir()
    ]


def create_tables() -> None:
    if unapplied_migrations():
        click.echo("Tablas de la base de datos…", err=True)
        call_command("migrate", interactive=False, verbosity=0)
    meaning.set_up()
    call_command("createcachetable", verbosity=0)
