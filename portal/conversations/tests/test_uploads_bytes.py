"""However a file is cut, repeated and broken off, what is stored is what was sent."""

from __future__ import annotations

import errno
import io
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from conftest import Cast
from portal.conversations import partfiles, services
from portal.conversations.errors import Refused
from portal.conversations.models import Conversation, Recording, Upload
from portal.participants.models import Consent


def begin(cast: Cast, consent: Consent, size: int, filename: str = "a.wav") -> Upload:
    return services.start_upload(
        employee=cast.owner,
        participant=consent.participant,
        consent=consent,
        filename=filename,
        size=size,
        engine="local",
    )


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@hypothesis(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.binary(min_size=1, max_size=400),
    moves=st.lists(st.tuples(st.integers(-60, 60), st.integers(0, 150)), max_size=25),
)
def test_any_cutting_gives_the_same_bytes(
    cast: Cast, consent: Consent, body: bytes, moves: list[tuple[int, int]]
) -> None:
    upload = begin(cast, consent, len(body))
    here = 0
    for slip, length in [*moves, (0, len(body))]:
        offset = max(here + slip, 0)
        chunk = body[offset : offset + length]
        try:
            upload = services.append(upload=upload, offset=offset, stream=io.BytesIO(chunk))
        except Refused as refused:
            assert refused.code == "wrong_offset"
            assert offset != here
        else:
            assert offset == here
            here += len(chunk)
        assert Upload.objects.get(pk=upload.pk).offset == here
    assert partfiles.path_of(upload.pk).read_bytes() == body
    conversation = services.finish(upload=upload)
    recording = Recording.objects.get(conversation=conversation)
    assert Path(recording.file.path).read_bytes() == body
    conversation.delete()


@hypothesis(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    pieces=st.lists(st.binary(max_size=40), max_size=8),
    unacknowledged=st.binary(max_size=30),
    more=st.binary(min_size=1, max_size=40),
)
def test_bytes_that_were_never_acknowledged_are_written_over(
    tmp_path: Path, pieces: list[bytes], unacknowledged: bytes, more: bytes
) -> None:
    path = tmp_path / "x.part"
    path.write_bytes(b"")
    offset = 0
    for piece in pieces:
        offset, roomy = partfiles.append(path, offset=offset, stream=io.BytesIO(piece), size=1000)
        assert roomy
    with path.open("ab") as file:
        file.write(unacknowledged)
    partfiles.append(path, offset=offset, stream=io.BytesIO(more), size=1000)
    assert path.read_bytes() == b"".join(pieces) + more


def test_a_full_disk_keeps_what_came(
    cast: Cast, consent: Consent, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = os.urandom(3 * partfiles.BLOCK)
    upload = begin(cast, consent, len(body))
    room = partfiles.BLOCK + 1000
    write = os.write

    def filling(descriptor: int, view: memoryview) -> int:
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(descriptor, view[:room])
        room -= written
        return written

    with monkeypatch.context() as patch:
        patch.setattr(partfiles.os, "write", filling)
        with pytest.raises(Refused) as refused:
            services.append(upload=upload, offset=0, stream=io.BytesIO(body))
    assert (refused.value.code, refused.value.status) == ("disk_full", 507)
    assert "se conserva" in refused.value.public_message
    here = Upload.objects.get().offset
    assert here == partfiles.BLOCK + 1000
    upload = services.append(upload=upload, offset=here, stream=io.BytesIO(body[here:]))
    services.finish(upload=upload)
    assert Path(Recording.objects.get().file.path).read_bytes() == body


def test_a_real_limit_on_file_size_counts_as_a_full_disk(tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    path = tmp_path / "x.part"
    path.write_bytes(b"")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, before[1]))
    try:
        length, roomy = partfiles.append(path, offset=0, stream=io.BytesIO(b"z" * 9000), size=9000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (length, roomy) == (5000, False)
    assert path.read_bytes() == b"z" * 5000


class _Slow(io.BytesIO):
    """A stream that is being read until it is let go."""

    def __init__(self, body: bytes) -> None:
        super().__init__(body)
        self.reading, self.go_on = threading.Event(), threading.Event()

    def read(self, size: int | None = -1, /) -> bytes:
        self.reading.set()
        assert self.go_on.wait(10)
        return super().read(size)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_do_not_mix(cast: Cast, consent: Consent) -> None:
    upload = begin(cast, consent, 6)
    slow = _Slow(b"abcdef")

    def send() -> None:
        services.append(upload=upload, offset=0, stream=slow)
        connection.close()

    sender = threading.Thread(target=send)
    sender.start()
    assert slow.reading.wait(10)
    with pytest.raises(Refused) as refused:
        services.append(upload=upload, offset=0, stream=io.BytesIO(b"XXXXXX"))
    slow.go_on.set()
    sender.join()
    assert (refused.value.code, refused.value.status) == ("busy", 423)
    assert partfiles.path_of(upload.pk).read_bytes() == b"abcdef"


@pytest.mark.django_db(transaction=True)
def test_one_file_sent_twice_at_once_is_one_conversation(cast: Cast, consent: Consent) -> None:
    uploads = [begin(cast, consent, 4) for _ in range(3)]
    for upload in uploads:
        services.append(upload=upload, offset=0, stream=io.BytesIO(b"abcd"))

    def finish(upload: Upload) -> None:
        services.finish(upload=upload)
        connection.close()

    threads = [threading.Thread(target=finish, args=[upload]) for upload in uploads]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Conversation.objects.count() == 1
    assert Upload.objects.values_list("conversation").distinct().count() == 1
