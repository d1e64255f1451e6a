from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator

from portal.operations.body_limit import FORM_BYTES, BodyLimit

MOST = 8 * FORM_BYTES


async def reads_everything(scope: Any, receive: Any, send: Any) -> None:
    """Stands in for Django: answers with what it got, says nothing to who hung up."""
    got = 0
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return
        got += len(event["body"])
        if not event["more_body"]:
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(got).encode(), "more_body": False})


async def answer(path: str, body: bytes, *, headers: list[tuple[bytes, bytes]]) -> tuple[int, str]:
    limited = BodyLimit(reads_everything, recordings=MOST, carriers=("/subidas/",))
    scope = {"type": "http", "method": "POST", "path": path, "headers": headers}
    client = ApplicationCommunicator(limited, scope)
    half = len(body) // 2
    await client.send_input({"type": "http.request", "body": body[:half], "more_body": True})
    await client.send_input({"type": "http.request", "body": body[half:], "more_body": False})
    start = await client.receive_output()
    content = await client.receive_output()
    return start["status"], content["body"].decode()


@pytest.mark.parametrize("says", [True, False], ids=["length stated", "length unsaid"])
@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        ("/perfil/", FORM_BYTES, 200),
        ("/perfil/", FORM_BYTES + 1, 413),
        ("/subidas/x/", FORM_BYTES + 1, 200),
        ("/subidas/x/", MOST + 1, 413),
    ],
)
def test_a_body_may_be_as_long_as_its_address_needs(
    path: str, size: int, status: int, says: bool
) -> None:
    headers = [(b"content-length", str(size).encode())] if says else []
    # In a thread of its own: the browser tests leave an event loop running in this one.
    with ThreadPoolExecutor() as executor:
        got, text = executor.submit(
            asyncio.run, answer(path, b"x" * size, headers=headers)
        ).result()
    assert got == status
    assert text == (str(size) if status == 200 else text)
    assert status == 200 or "demasiado grande" in text
