"""OpenSearch, behind an alias. It is told of changes by a job (portal/search/outside.py); each
writing carries a number, and one that is older than what is there is refused.

It keeps words to be found and no text to be shown (``_source`` is off).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.utils import timezone
from opensearchpy import OpenSearch
from opensearchpy.exceptions import NotFoundError, OpenSearchException
from opensearchpy.helpers import bulk

from portal.search.backends.base import Scope, SearchDown
from portal.search.backends.postgres import PERSON, names_in
from portal.search.models import Outside
from portal.search.questions import Question

ALIAS = "portal-search"
SECONDS = 5
FILED_AT_ONCE = 1000
HARMLESS = {"index": {409}, "delete": {404, 409}}
"""Answers to a writing: somebody wrote what is newer; what is to be forgotten was never there."""

_READINGS = {
    "es_stem": ["lowercase", "es_stemmer"],
    "es_unaccent": ["lowercase", "asciifolding", "es_stemmer"],
    "es_plain": ["lowercase", "asciifolding"],
}
_FIELDS = ("said", "said.unaccent", "said.plain")
INDEX: dict[str, Any] = {
    "settings": {
        "analysis": {
            "filter": {"es_stemmer": {"type": "stemmer", "language": "spanish"}},
            "analyzer": {
                name: {"type": "custom", "tokenizer": "standard", "filter": filters}
                for name, filters in _READINGS.items()
            },
        }
    },
    "mappings": {
        "dynamic": "strict",
        "_source": {"enabled": False},
        "properties": {
            **{
                name: {"type": "keyword"} for name in ("kind", "key", "participant", "conversation")
            },
            **{name: {"type": "long"} for name in ("team", "employee")},
            "at": {"type": "date"},
            "name": {"type": "text", "analyzer": "es_plain"},
            "said": {
                "type": "text",
                "analyzer": "es_stem",
                "fields": {
                    "unaccent": {"type": "text", "analyzer": "es_unaccent"},
                    "plain": {"type": "text", "analyzer": "es_plain"},
                },
            },
        },
    },
}


class OpenSearchBackend:
    name = "opensearch"

    def __init__(self, url: str) -> None:
        self._client = OpenSearch(
            hosts=[url], timeout=SECONDS, max_retries=2, retry_on_timeout=True
        )

    def find(
        self, question: Question, *, limits: Mapping[str, int], scope: Scope
    ) -> dict[str, list[str]]:
        words = _meaningful(question)
        asked: list[dict[str, Any]] = []
        for kind, limit in limits.items():
            body = {
                "query": _query(question, words, kind, scope),
                "sort": ["_score", {"at": "desc"}, {"key": "asc"}],
                "_source": False,
                "size": limit,
            }
            asked += [{"index": ALIAS}, body]
        with _answering():
            answers = self._client.msearch(body=asked)["responses"]
        if any("error" in answer for answer in answers):
            raise SearchDown
        return {
            kind: [hit["_id"].removeprefix(f"{kind}-") for hit in answer["hits"]["hits"]]
            for kind, answer in zip(limits, answers, strict=True)
        }

    def prepare(self) -> str:
        # From now on changes are written down: what is read before one is told of it later.
        Outside.objects.get_or_create(backend=self.name)
        into = f"{ALIAS}-{timezone.now():%Y%m%d%H%M%S%f}"
        with _answering():
            self._client.indices.create(index=into, body=INDEX | {"aliases": {_writing(into): {}}})
        return into

    def has(self, into: str) -> bool:
        with _answering():
            return bool(self._client.indices.exists_alias(name=_writing(into)))

    def file(self, kind: str, keys: Sequence[str], *, into: str) -> None:
        with connection.cursor() as cursor:
            # Taken before they are read.
            cursor.execute("SELECT nextval('search_version')")
            (version,) = cursor.fetchone()
            cursor.execute(
                # S608: the kind is one of sources.py.
                "SELECT object_id, team, participant, conversation, employee, at, name,"  # noqa: S608
                f" search_words(heading || ' ' || body) FROM search_rows_{kind}(%s)",
                [list(keys)],
            )
            columns = ("key", "team", "participant", "conversation", "employee", "at", "name")
            rows = [dict(zip((*columns, "said"), row, strict=True)) for row in cursor.fetchall()]
        gone = set(keys) - {row["key"] for row in rows}
        versioned = {"_index": _writing(into), "version": version, "version_type": "external_gte"}
        actions = [
            {"_op_type": "index", "_id": f"{kind}-{row['key']}", **versioned, "kind": kind, **row}
            for row in rows
        ]
        actions += [{"_op_type": "delete", "_id": f"{kind}-{key}", **versioned} for key in gone]
        with _answering():
            _, errors = bulk(
                self._client,
                actions,
                raise_on_error=False,
                max_retries=3,
                refresh="wait_for",
                require_alias=True,
            )
        if any(
            done["status"] not in HARMLESS[operation]
            for error in errors
            for operation, done in error.items()
        ):
            raise SearchDown

    def filed(self, kind: str, *, after: str, into: str) -> Sequence[str]:
        body: dict[str, Any] = {
            "query": {"term": {"kind": kind}},
            "sort": [{"key": "asc"}],
            "size": FILED_AT_ONCE,
            "_source": False,
        }
        if after:
            body["search_after"] = [after]
        with _answering():
            hits = self._client.search(index=into, body=body)["hits"]["hits"]
        return [hit["sort"][0] for hit in hits]

    def finish(self, into: str) -> None:
        before = [index for index in self.in_use() if index != into]
        with _answering():
            self._client.indices.update_aliases(
                body={
                    "actions": [
                        *({"remove": {"index": index, "alias": ALIAS}} for index in before),
                        {"add": {"index": into, "alias": ALIAS}},
                    ]
                }
            )
            # Also what an interrupted one has left.
            for index in set(self._client.indices.get(index=f"{ALIAS}-*")) - {into}:
                self._client.indices.delete(index=index)

    def in_use(self) -> list[str]:
        """The index behind the alias, if there is one. Raises SearchDown."""
        with _answering():
            try:
                return list(self._client.indices.get_alias(name=ALIAS))
            except NotFoundError:
                return []


def _writing(index: str) -> str:
    """The alias that an index is written by. It goes with the index; a writing to the index itself
    would make it anew, with texts in it."""
    return f"{index}-writing"


@contextmanager
def _answering() -> Iterator[None]:
    """Without its own words, which may hold what was searched or said."""
    try:
        yield
    except OpenSearchException:
        raise SearchDown from None


def _meaningful(question: Question) -> list[str]:
    """The single words without those that PostgreSQL's Spanish passes over (de, la, que), unless
    there is nothing else."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT word FROM unnest(%s::text[]) AS word"
            " WHERE numnode(plainto_tsquery('spanish', word)) > 0",
            [list(question.words)],
        )
        kept = [word for (word,) in cursor.fetchall()]
    alone = not (kept or question.beginning or question.phrases)
    return list(question.words) if alone else kept


def _word(word: str) -> list[dict[str, Any]]:
    return [
        {"match": {field: {"query": word, "analyzer": analyzer}}}
        for field in _FIELDS
        for analyzer in _READINGS
    ]


def _any(clauses: list[dict[str, Any]]) -> dict[str, Any]:
    return {"bool": {"should": clauses, "minimum_should_match": 1}}


def _query(question: Question, words: list[str], kind: str, scope: Scope) -> dict[str, Any]:
    filters = question.filters
    within: list[dict[str, Any]] = [
        {"term": {"kind": kind}},
        {"terms": {"team": list(scope.teams)}},
    ]
    if scope.participants is not None:
        within.append({"terms": {"participant": list(scope.participants)}})
    if filters.participant is not None:
        within.append({"term": {"participant": str(filters.participant)}})
    if filters.brought_by is not None:
        within.append({"term": {"employee": filters.brought_by}})
    if filters.from_moment is not None:
        within.append({"range": {"at": {"gte": filters.from_moment.isoformat()}}})
    if filters.before_moment is not None:
        within.append({"range": {"at": {"lt": filters.before_moment.isoformat()}}})
    must = [_any(_word(word)) for word in words]
    if question.beginning:
        begins = {"match_phrase_prefix": {"said.plain": {"query": question.beginning}}}
        must.append(_any([*_word(question.beginning), begins]))
    must += [{"match_phrase": {"said.plain": phrase}} for phrase in question.phrases]
    without = [{"match_phrase": {"said.plain": phrase}} for phrase in question.excluded]
    by_words: dict[str, Any] = {"bool": {"must": must, "must_not": without}}
    names = names_in(question) if kind == PERSON else []
    if names:
        like = {"query": " ".join(names), "operator": "and", "fuzziness": "AUTO", "boost": 0.1}
        by_words = _any([by_words, {"match": {"name": like}}])
    return {"bool": {"must": [by_words], "filter": within}}
