"""The stream under the real server: who gets it, what it says, when it ends."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import pytest
from django.db import connection, transaction
from django.test import Client

from conftest import Cast
from portal.accounts.models import Employee
from portal.live.tests.server import serving, session_of
from portal.notifications import events, services, stream
from portal.notifications.models import Notification
from portal.notifications.tests.test_views import end, processing
from portal.participants.models import Consent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def address(transactional_db: None) -> Iterator[str]:
    with serving() as address:
        yield address
        for opened in Browser.connections:
            opened.close()  # the server would wait for them
        Browser.connections.clear()


class Browser:
    connections: ClassVar[list[http.client.HTTPConnection]] = []

    def __init__(self, address: str, session: str | None, method: str = "GET") -> None:
        self._connection = http.client.HTTPConnection(address, timeout=20)
        self.connections.append(self._connection)
        headers = {} if session is None else {"Cookie": f"otra=1; sessionid={session}"}
        self._connection.request(method, stream.PATH, headers=headers)
        self.response = self._connection.getresponse()
        self.status = self.response.status

    def hear(self) -> tuple[str, str]:
        """-> (event, data); ("", "") at the end."""
        lines = [self.response.readline().decode().rstrip("\n") for _ in range(3)]
        if not lines[0]:
            return "", ""
        assert lines[2] == ""
        return lines[0].removeprefix("event: "), lines[1].removeprefix("data: ")

    def close(self) -> None:
        self._connection.close()


@contextmanager
def browser(address: str, employee: Employee) -> Iterator[Browser]:
    """With the stream open and its first look asked for."""
    opened = Browser(address, session_of(employee))
    try:
        assert opened.hear() == ("refresh", "{}")
        yield opened
    finally:
        opened.close()


def test_each_hears_of_their_own_and_of_nothing_else(
    address: str, cast: Cast, consent: Consent
) -> None:
    with (
        browser(address, cast.owner) as one,
        browser(address, cast.owner) as other,
        browser(address, cast.teammate) as colleague,
        browser(address, cast.stranger) as stranger,
    ):
        notification = end(processing(consent, cast))
        told = ("notifications", f'{{"id": {notification.pk}, "kind": "ready"}}')
        assert one.hear() == other.hear() == told
        services.mark_opened(notification)
        assert one.hear() == other.hear() == ("notifications", "{}")
        for bystander in (colleague, stranger):
            events.tell_activity(cast.teammate.pk)
            events.tell_activity(cast.stranger.pk)
            assert bystander.hear() == ("activity", "{}")


def test_what_is_rolled_back_is_not_told(address: str, cast: Cast, consent: Consent) -> None:
    conversation = processing(consent, cast)
    with browser(address, cast.owner) as opened:
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            end(conversation)
            raise ZeroDivisionError
        assert not Notification.objects.exists()
        events.tell_activity(cast.owner.pk)
        assert opened.hear() == ("activity", "{}")


@pytest.mark.parametrize("session", [None, "", "x" * 32, 'raro"; ;=\\'])
def test_nobody_gets_a_stream_without_a_session(address: str, session: str | None) -> None:
    nobody = Browser(address, session)
    assert (nobody.status, nobody.response.read()) == (401, b"")


def test_an_account_that_was_closed_or_has_another_password_gets_none(
    address: str, cast: Cast
) -> None:
    closed, changed = session_of(cast.owner), session_of(cast.teammate)
    Employee.objects.filter(pk=cast.owner.pk).update(is_active=False)
    cast.teammate.set_password("otra frase larga para entrar")
    cast.teammate.save()
    assert Browser(address, closed).status == Browser(address, changed).status == 401


def test_signing_out_ends_the_stream_of_that_session_alone(
    address: str, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CHECK_SECONDS", 3600)
    client = Client()
    client.force_login(cast.owner)
    leaving = Browser(address, client.cookies["sessionid"].value)
    assert leaving.hear()[0] == "refresh"
    with browser(address, cast.owner) as staying:
        client.post("/cuenta/logout/")
        assert leaving.hear() == ("", "")
        events.tell_activity(cast.owner.pk)
        assert staying.hear() == ("activity", "{}")


def test_a_session_that_ends_by_itself_ends_its_stream(
    address: str, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(stream, "SIGN_OF_LIFE_SECONDS", 0.05)
    with browser(address, cast.owner) as going, browser(address, cast.teammate) as staying:
        assert going.hear() == staying.hear() == ("alive", "{}")
        Employee.objects.filter(pk=cast.owner.pk).update(is_active=False)
        while going.hear() != ("", ""):
            pass
        assert staying.hear() == ("alive", "{}")


def test_more_browsers_than_anybody_has_are_refused(
    address: str, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MOST_PER_EMPLOYEE", 1)
    with browser(address, cast.owner), browser(address, cast.teammate):
        assert Browser(address, session_of(cast.owner)).status == 429


def test_streams_share_one_connection_to_the_database(address: str, cast: Cast) -> None:
    with (
        browser(address, cast.owner),
        browser(address, cast.owner),
        browser(address, cast.stranger),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE application_name = 'portal news' AND datname = current_database()"
        )
        assert cursor.fetchone() == (1,)


def test_a_server_without_streams_says_that_there_is_nothing(cast: Cast) -> None:
    assert cast.client(cast.owner).get(stream.PATH).status_code == 204
    assert cast.client(None).get(stream.PATH).status_code == 302
