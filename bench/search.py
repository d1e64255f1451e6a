"""How fast words are found among a thousand, a hundred thousand and a million turns.

    python -m bench.search [--json] [--turns 1000000]

Starts a database of its own in a temporary folder, and removes it. The talk is invented by a seeded
grammar. What is timed is `queries.find`, which is all that happens to a search but its page: every
kind, who may see it, reading and marking. Beside it, on the same questions: the index alone, asked
for as many turns as are shown with neither visibility nor order (the floor); and ``ILIKE``. The
streams that tell people of news (`bench.notify`) are measured first, finding by meaning
(`bench.meaning`) at a hundred thousand turns.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from bench import meaning, notify
from portal.operations import database

SIZES = {1_000: "1k", 100_000: "100k", 1_000_000: "1m"}
TEAMS = 20
TURNS_OF_ONE = 100
RUNS = 12
FEW_RUNS = 2
BATCH = 5_000

PEOPLE = [
    "mi marido", "mi hija", "mi madre", "mi hermano", "la vecina", "el casero", "mi jefa",
    "la doctora", "mi prima", "mi suegra", "la trabajadora social", "un compañero", "el niño",
    "mi abuelo", "la maestra", "el abogado",
]  # fmt: skip
THINGS = [
    "el alquiler", "la hipoteca", "el recibo de la luz", "la fianza", "el padrón",
    "la tarjeta sanitaria", "el contrato", "la nómina", "la lavadora", "el frigorífico",
    "la ayuda", "el certificado", "la matrícula", "el abono transporte", "la residencia",
    "el pasaporte", "la cita", "la receta", "el informe", "la pensión", "el paro", "las facturas",
]  # fmt: skip
DOES = [
    "no puede pagar", "está esperando", "ha perdido", "necesita", "pidió", "me dejó",
    "no encuentra", "tiene que renovar", "ya entregó", "quiere cambiar", "va a recoger",
    "no entiende", "sigue buscando", "devolvió", "firmó",
]  # fmt: skip
WHEN = [
    "desde marzo", "hace dos años", "la semana pasada", "por ahora", "este invierno", "cada mes",
    "antes de venir", "cuando llegamos", "todos los días", "en enero", "después del accidente",
    "ayer por la tarde",
]  # fmt: skip
ENDS = [
    "y no sé qué hacer", "pero estamos mejor", "así que trabajo por las noches",
    "porque somos cinco en casa", "y me preocupa la salud", "aunque cobro poco",
    "y el médico dice que descanse", "como le decía",
]  # fmt: skip
SYLLABLES = [
    "ma", "ri", "lo", "ta", "ne", "sol", "pe", "du", "ca", "vi", "ra", "go", "be", "nu", "sa",
    "lle", "fi", "cho", "me", "ja",
]  # fmt: skip

QUESTIONS = {
    "common": ["alquiler", "casa", "marzo"],
    "words": ["recibo luz invierno", "hija pasaporte accidente", "medico descanse marido"],
    "rare": ["{street}"],
    "beginning": ["certif", "trabaj", "{street:.5}"],
    "phrase": ['"no puede pagar"', '"tiene que renovar el pasaporte"'],
    "without": ["alquiler -marido", 'hipoteca -"hace dos años"'],
    "nobody": ["zapatero prometido", "alquiler {street} xilofono"],
    "name": ["fatma belkasem", "Persona {number}", "olexandr"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one flat object as the last line")
    parser.add_argument("--turns", type=int, choices=SIZES, default=max(SIZES))
    arguments = parser.parse_args()
    # In a process of its own: Django keeps to the first database that it is given.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        figures = pool.submit(notify.notifying, notify.STREAMS).result()
    notify.show(figures)
    with office() as talk:
        for size, name in SIZES.items():
            if size <= arguments.turns:
                talk.grow(size)
                measure(talk, name, figures)
                if size == meaning.TURNS:
                    meaning.measure(talk, figures)
    if arguments.json:
        print(json.dumps({name: round(value, 3) for name, value in figures.items()}))


@contextmanager
def office() -> Iterator[Talk]:
    import django
    from django.core.management import call_command

    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        data = Path(folder)
        with database.running(data):
            os.environ["PORTAL_DATA"] = folder
            os.environ["PORTAL_DATABASE_URL"] = database.embedded_url(data)
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
            django.setup()
            call_command("migrate", verbosity=0)
            try:
                yield Talk()
            finally:
                from django.db import connections

                connections.close_all()


class Talk:
    """The teams, their people and what they say, which grows."""

    def __init__(self) -> None:
        from portal.accounts.models import Employee, Membership, Team

        self.random = random.Random(7)  # noqa: S311
        self.turns = 0
        self.streets = [
            "".join(self.random.choices(SYLLABLES, k=self.random.randint(3, 5)))
            for _ in range(20_000)
        ]
        self.teams = [Team.objects.create(name=f"Oficina {n}") for n in range(TEAMS)]
        self.of_one = Employee.objects.create_user("una@example.org", name="Una")
        self.of_all = Employee.objects.create_user("todas@example.org", name="Todas")
        Membership.objects.create(team=self.teams[0], employee=self.of_one)
        for team in self.teams:
            Membership.objects.create(team=team, employee=self.of_all)

    def sentence(self) -> str:
        pick = self.random.choice
        said = f"{pick(PEOPLE)} {pick(DOES)} {pick(THINGS)} {pick(WHEN)}"
        if self.random.random() < 0.4:
            said += f", {pick(ENDS)}"
        # Some streets are spoken of often, most hardly ever.
        if self.random.random() < 0.3:
            said += f", en la calle {self.streets[int(self.random.paretovariate(0.7)) % 20_000]}"
        return said[0].upper() + said[1:] + "."

    def grow(self, size: int) -> None:
        """To ``size`` turns, with the triggers at work."""
        from django.db import connection

        number = self.turns // TURNS_OF_ONE
        started = time.perf_counter()
        while self.turns < size:
            with connection.cursor() as cursor:
                rows: list[tuple[Any, ...]] = []
                for _ in range(min(BATCH, size - self.turns) // TURNS_OF_ONE):
                    rows += self._conversation(cursor, number)
                    number += 1
                with cursor.copy(
                    'COPY conversations_turn (transcript_id, speaker_id, position, start, "end", '
                    "text, words, version) FROM STDIN"
                ) as copy:
                    for row in rows:
                        copy.write_row(row)
                self.turns += len(rows)
        self.seconds = time.perf_counter() - started
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")

    def _conversation(self, cursor: Any, number: int) -> list[tuple[Any, ...]]:
        name = "Fátima Belkacem" if number % 500 == 0 else f"Persona {number} {self._name()}"
        speaker = self._speaker(self.teams[number % TEAMS], name, f"{number:06}")
        talk = speaker.transcript.conversation
        day = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(hours=number)
        type(talk).objects.filter(pk=talk.pk).update(created_at=day)
        return [
            (speaker.transcript_id, speaker.pk, n, n * 5.0, n * 5.0 + 4, self.sentence(), "[]", 0)
            for n in range(TURNS_OF_ONE)
        ]

    def tell(self, team: Any, number: int, said: list[str]) -> list[int]:
        """A conversation of its own; keys of its turns."""
        from portal.conversations.models import Turn

        speaker = self._speaker(team, f"Persona {number}", f"9{number:05}")
        turns = Turn.objects.bulk_create(
            Turn(
                transcript=speaker.transcript,
                speaker=speaker,
                position=position,
                start=position * 5.0,
                end=position * 5.0 + 4,
                text=text,
            )
            for position, text in enumerate(said)
        )
        return [turn.pk for turn in turns]

    def _speaker(self, team: Any, name: str, number: str) -> Any:
        """Of a new person, in their only conversation."""
        from portal.conversations.models import Conversation, Speaker, Transcript
        from portal.participants.models import Consent, Participant

        person = Participant.objects.create(
            id=uuid.UUID(int=self.random.getrandbits(128)),
            team=team,
            name=name,
            email=f"p{number}@example.org",
            phone=f"+34600{number}",
            created_by=self.of_all,
        )
        consent = Consent.objects.create(
            participant=person, language="es", record=True, analyse=True, recorded_by=self.of_all
        )
        talk = Conversation.objects.create(
            participant=person,
            consent=consent,
            created_by=self.of_all,
            engine="local",
            title=self.sentence()[:60],
            description=self.sentence(),
        )
        transcript = Transcript.objects.create(
            conversation=talk, engine="local", model="base", language="es", duration=600.0
        )
        return Speaker.objects.create(transcript=transcript, label="S1", role="usuario")

    def _name(self) -> str:
        return self.random.choice(self.streets).capitalize()

    def questions(self) -> dict[str, list[str]]:
        values = {"street": self.streets[3], "number": 42}
        return {
            kind: [text.format(**values) for text in texts] for kind, texts in QUESTIONS.items()
        }


def measure(talk: Talk, name: str, figures: dict[str, float]) -> None:
    from django.db import connection

    from portal.search import queries
    from portal.search.backends.postgres import as_tsquery
    from portal.search.questions import read

    def rows(query: str, *values: object) -> None:
        with connection.cursor() as cursor:
            cursor.execute(query, values)
            cursor.fetchall()

    def by_index(tsquery: str) -> None:
        rows(
            "SELECT object_id FROM search_entry WHERE kind = 'turn' AND vector @@ %s::tsquery"
            " LIMIT 8",
            tsquery,
        )

    ours: list[float] = []
    floor: list[float] = []
    print(f"{talk.turns} turns, written and filed in {talk.seconds:.0f} s")
    for kind, texts in talk.questions().items():
        asked: list[float] = []
        for text in texts:
            question = read(text)
            tsquery = as_tsquery(question)
            for employee in (talk.of_one, talk.of_all):
                asked += timed(lambda e=employee, q=question: queries.find(e, q), RUNS)
            # As if PostgreSQL always guessed that the index is the better way, which it is.
            rows("SELECT set_config('enable_seqscan', 'off', false)")
            floor += timed(lambda q=tsquery: by_index(q), RUNS)
            rows("SELECT set_config('enable_seqscan', 'on', false)")
        figures[f"p50_ms_{kind}_{name}"] = statistics.median(asked)
        figures[f"p95_ms_{kind}_{name}"] = p95(asked)
        print(f"  {kind:<12}{statistics.median(asked):>8.1f}{p95(asked):>8.1f} ms (p50, p95)")
        ours += asked
    like: list[float] = []
    for text in ("alquiler", talk.streets[3], "zapatero"):
        like += timed(
            lambda t=text: rows(
                "SELECT t.id FROM conversations_turn t JOIN conversations_transcript s"
                " ON s.id = t.transcript_id JOIN conversations_conversation c"
                " ON c.id = s.conversation_id WHERE t.text ILIKE %s"
                " ORDER BY c.created_at DESC LIMIT 8",
                f"%{t}%",
            ),
            FEW_RUNS,
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_total_relation_size('search_entry'), pg_indexes_size('search_entry')"
        )
        whole, indexes = cursor.fetchone()
    figures |= {
        f"p50_ms_{name}": statistics.median(ours),
        f"p95_ms_{name}": p95(ours),
        f"floor_p95_ms_{name}": p95(floor),
        f"ilike_p95_ms_{name}": p95(like),
        f"index_mb_{name}": whole / 1e6,
        f"write_s_{name}": talk.seconds,
    }
    print(
        f"  all {statistics.median(ours):.1f} {p95(ours):.1f} ms; floor {p95(floor):.1f} ms; "
        f"ILIKE {p95(like):.0f} ms; {whole / 1e6:.0f} MB, of it indexes {indexes / 1e6:.0f}",
        flush=True,
    )


def timed(work: Callable[[], object], runs: int) -> list[float]:
    """Milliseconds of each run, warm."""
    work()
    found = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        found.append((time.perf_counter() - started) * 1000)
    return found


def p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[-1]


if __name__ == "__main__":
    main()
