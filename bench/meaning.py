"""Finding by meaning: how fast among a hundred thousand turns, and what. A part of `bench.search`.

Fast: vectors of sentences that were encoded, each moved a little at random, since encoding as many
takes an hour. What is timed is `queries.find_meant`, encoding what is looked for included. Recall
is against all cosines in single precision.

What: the free questions of the corpus that have an answer, asked of all its interviews at once by
meaning and by words; found is one with a turn that proves the answer among the first ten.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Any

import numpy as np

from corpus import reading

if TYPE_CHECKING:
    from bench.search import Talk

TURNS = 100_000
ENCODED = 400
MOVED = 0.6
FIRST = 10
SEARCHES = [
    "se quedó sin trabajo", "no puede pagar la luz", "le renuevan el pasaporte", "está enfermo",
    "cuida de los niños", "el casero no devuelve el dinero", "no entiende los papeles",
    "vive con su familia", "problemas con la vivienda", "xilófono cuántico",
]  # fmt: skip


def measure(talk: Talk, figures: dict[str, float]) -> None:
    from django.db import connection

    from bench.search import RUNS, p95, timed
    from portal.search import queries
    from portal.search.questions import read

    keys, teams, vectors = _fill(talk)
    asked: list[float] = []
    shares: list[float] = []
    for text in SEARCHES:
        question = read(text)
        for employee in (talk.of_one, talk.of_all):
            asked += timed(lambda e=employee, q=question: queries.find_meant(e, q), RUNS)
            mine = teams == talk.teams[0].pk if employee is talk.of_one else teams > 0
            best = _exactly(text, keys[mine], vectors[mine])
            groups = queries.find_meant(employee, question)
            found = {item.thing.pk for group in groups for item in group.found}
            shares += [len(found & best) / len(best)] if best else []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_total_relation_size('search_meaning')")
        (size,) = cursor.fetchone()
    figures |= {
        "meaning_p50_ms_100k": statistics.median(asked),
        "meaning_p95_ms_100k": p95(asked),
        "meaning_index_mb_100k": size / 1e6,
        "meaning_recall": statistics.mean(shares),
    }
    print(
        f"  by meaning {statistics.median(asked):.1f} {p95(asked):.1f} ms (p50, p95); "
        f"{size / 1e6:.0f} MB; recall {statistics.mean(shares):.3f}",
        flush=True,
    )
    what_is_found(talk, figures)
    # A million turns are searched by their words, and were never read.
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE search_meaning")


def _fill(talk: Talk) -> tuple[Any, Any, Any]:
    """Keys, teams and vectors of all turns, filed as if they had been read."""
    from django.db import connection

    from portal.analysis import meaning as analysis
    from portal.search import meaning

    real = analysis.said([talk.sentence() for _ in range(ENCODED)], _encoder())
    random = np.random.default_rng(7)
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE search_meaning")
        cursor.execute("SELECT id, object_id, team FROM search_entry WHERE kind = 'turn'")
        entries, keys, teams = zip(*cursor.fetchall(), strict=True)
        vectors = real[random.integers(ENCODED, size=len(keys))]
        embeddings = vectors[:, : analysis.middles().said.size]
        noise = random.standard_normal(embeddings.shape, dtype=np.float32)
        embeddings += noise * (MOVED / np.linalg.norm(noise, axis=1, keepdims=True))
        embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
        with cursor.copy("COPY search_meaning (entry_id, vector) FROM STDIN") as copy:
            for entry, vector in zip(entries, vectors, strict=True):
                copy.write_row((entry, meaning.as_text(vector)))
        cursor.execute("VACUUM ANALYZE search_meaning")
    return np.array([int(key) for key in keys]), np.array(teams), vectors


def _encoder() -> Any:
    from portal.analysis.encoder import default_encoder

    encoder = default_encoder()
    assert encoder is not None
    return encoder


def _exactly(text: str, keys: Any, vectors: Any) -> set[int]:
    from portal.analysis import meaning as analysis
    from portal.search import meaning

    wanted = analysis.wanted(text, _encoder())
    alike = vectors @ wanted.vector
    best = np.argsort(-alike)[: meaning.SHOWN]
    return {int(keys[place]) for place in best if alike[place] >= wanted.alike}


def what_is_found(talk: Talk, figures: dict[str, float]) -> None:
    """In a team of its own, by somebody who sees no other."""
    from portal.accounts.models import Employee, Membership, Team
    from portal.search import queries, understanding
    from portal.search.questions import read

    team = Team.objects.create(name="Corpus")
    employee = Employee.objects.create_user("corpus@example.org", name="Corpus")
    Membership.objects.create(team=team, employee=employee)
    interviews = [i for folder in reading.passes() for i in reading.interviews(folder)]
    asked: list[tuple[str, set[int]]] = []
    for number, interview in enumerate(interviews):
        keys = talk.tell(team, number, [turn.text for turn in interview.turns])
        asked += [
            (item["q"], {keys[place] for place in item["evidence"]})
            for item in interview.qa
            if item["found"]
        ]
    understanding.catch_up(told=lambda done: None, enough=lambda: False)

    def share(find: Any) -> float:
        hits = 0
        for text, proving in asked:
            found = [item.thing.pk for group in find(read(f"{text} ")) for item in group.found]
            hits += not proving.isdisjoint(found[:FIRST])
        return hits / len(asked)

    figures |= {
        "meaning_found_10": share(lambda q: queries.find_meant(employee, q)),
        "words_found_10": share(lambda q: queries.find(employee, q, kind="turn")),
    }
    print(
        f"  {len(asked)} questions: found by meaning {figures['meaning_found_10']:.3f}, "
        f"by words {figures['words_found_10']:.3f}",
        flush=True,
    )
