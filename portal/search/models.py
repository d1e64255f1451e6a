from __future__ import annotations

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q


class Entry(models.Model):
    """Under which words something can be found, and by whom; not what it says.

    Triggers write these rows in the transaction that changes what they are of (migrations/0002),
    however it is changed; nothing else writes them. ``object_id`` is the key of the object in its
    own table. No foreign keys: what is deleted takes its entry along by its own trigger.
    """

    kind = models.CharField(max_length=12)
    object_id = models.CharField(max_length=36)
    team = models.BigIntegerField()
    participant = models.UUIDField()
    conversation = models.UUIDField(null=True)
    # Who brought the conversation, or wrote the answer.
    employee = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    # A person's name in lower case and without accents, for names with a letter wrong.
    name = models.TextField(blank=True)
    vector = SearchVectorField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "object_id"], name="one_entry_per_object")
        ]
        indexes = [
            # Who may see it is looked up in the same index as the words. Turns are a hundred times
            # as many as all the rest, which is not to be looked for among them. No pending list:
            # every search would read it from end to end.
            GinIndex(
                fields=["team", "vector"],
                name="search_turn_words",
                condition=Q(kind="turn"),
                fastupdate=False,
            ),
            GinIndex(
                fields=["kind", "team", "vector"],
                name="search_other_words",
                condition=~Q(kind="turn"),
                fastupdate=False,
            ),
            GinIndex(
                fields=["name"],
                opclasses=["gin_trgm_ops"],
                name="search_person_name",
                condition=Q(kind="person"),
            ),
            # A word that half of all turns have is found from the newest on.
            models.Index(
                fields=["team", "-at"], name="search_turn_newest", condition=Q(kind="turn")
            ),
            models.Index(fields=["participant"], name="search_of_participant"),
            models.Index(fields=["conversation"], name="search_of_conversation"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class Rebuild(models.Model):
    """An index that is being made anew, and how far: who is interrupted goes on from there.

    ``into``: the engine's name of what is made; "" when it is mended in place. ``after``: the last
    key of ``kind`` that is done.
    """

    backend = models.CharField(max_length=20, unique=True)
    into = models.CharField(max_length=120, blank=True)
    kind = models.CharField(max_length=12, blank=True)
    after = models.CharField(max_length=36, blank=True)
    started_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.backend} {self.kind}"


class Outside(models.Model):
    """An index outside of the database. While there is one, changes are written down for it."""

    backend = models.CharField(max_length=20, unique=True)

    def __str__(self) -> str:
        return self.backend


class Change(models.Model):
    """An object whose entry changed or went, for an index outside to be told. Written by a trigger
    in the same transaction; not what changed, which is read when it is told."""

    kind = models.CharField(max_length=12)
    object_id = models.CharField(max_length=36)

    def __str__(self) -> str:
        return f"{self.kind} {self.object_id}"


class Meaning(models.Model):
    """What a turn means, or a part of a long one; a row without is still to be read.

    Triggers write and delete the rows (migrations/0005), a job reads (understanding.py). The vector
    is in a column that only a database with pgvector has (meaning.py), so it is no field here.
    """

    entry = models.ForeignKey(
        Entry, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )

    def __str__(self) -> str:
        return str(self.entry_id)
