"""Who hears what is published: with one connection, whatever becomes of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from portal import news
from portal.live.threads import in_database

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 20.0


async def tell(topic: str, **message: object) -> None:
    await in_database(news.publish, topic, message)


async def heard(subscription: news.Subscription) -> news.Message:
    async with asyncio.timeout(PATIENCE):
        return await subscription.next()


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Each in a loop of its own, as every server has."""
    asyncio.run(test())  # type: ignore[arg-type]


def end_connections() -> int:
    """As when the database goes away. -> how many there were"""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE application_name = 'portal news' AND datname = current_database()"
        )
        ended: int = cursor.fetchone()[0]
        return ended


def test_each_hears_of_its_own_topic_in_order(transactional_db: None) -> None:
    async def test() -> None:
        one, other = str(uuid4()), str(uuid4())
        async with (
            news.subscribed(one) as first,
            news.subscribed(one) as second,
            news.subscribed(other) as third,
        ):
            for number in range(3):
                await tell(one, type="partial", text=str(number))
            await tell(other, type="partial", text="otra")
            for subscription in (first, second):
                texts = [(await heard(subscription))["text"] for _ in range(3)]
                assert texts == ["0", "1", "2"]
            assert (await heard(third))["text"] == "otra"
            assert await in_database(end_connections) == 1

    run(test)
    run(test)


def test_nobody_listens_when_nobody_is_there(transactional_db: None) -> None:
    async def test() -> None:
        topic = str(uuid4())
        async with news.subscribed(topic):
            pass
        async with news.subscribed(topic) as again:
            await tell(topic, type="partial", text="hola")
            assert (await heard(again))["text"] == "hola"

    run(test)
    for _ in range(200):
        if not end_connections():
            break
    assert not end_connections()


def test_after_a_lost_connection_everybody_looks_again(transactional_db: None) -> None:
    async def test() -> None:
        one, other = str(uuid4()), str(uuid4())
        async with news.subscribed(one) as first, news.subscribed(other) as second:
            await in_database(end_connections)
            assert await heard(first) == await heard(second) == {"type": "refresh"}
            await tell(one, type="partial", text="sigue")
            assert (await heard(first))["text"] == "sigue"

    run(test)


def test_without_a_database_one_waits_and_looks_when_it_is_there(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    really_connect = news._connect
    tries = 0

    async def fails_twice() -> psycopg.AsyncConnection[object]:
        nonlocal tries
        tries += 1
        if tries <= 2:
            raise psycopg.OperationalError("no database")
        return await really_connect()

    monkeypatch.setattr(news, "_connect", fails_twice)
    monkeypatch.setattr(news, "PATIENCE_SECONDS", 0.05)

    async def test() -> None:
        async with news.subscribed(str(uuid4())) as subscription:
            assert await heard(subscription) == {"type": "refresh"}

    run(test)
    assert tries == 3


def test_who_cannot_keep_up_looks_again_instead() -> None:
    async def test() -> None:
        subscription = news.Subscription()
        for number in range(news.MOST_WAITING + 1):
            subscription.put({"type": "partial", "text": str(number)})
        subscription.put({"type": "partial", "text": "lo último"})
        assert await heard(subscription) == {"type": "refresh"}
        assert (await heard(subscription))["text"] == "lo último"

    run(test)


def test_what_is_too_long_to_be_told_is_to_be_looked_at(transactional_db: None) -> None:
    async def test() -> None:
        topic = str(uuid4())
        async with news.subscribed(topic) as subscription:
            await tell(topic, type="partial", text="ñ" * 5000)
            assert await heard(subscription) == {"type": "refresh"}

    run(test)
