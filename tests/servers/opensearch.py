"""Against two emulators that speak OpenSearch's protocol, each with gaps, or the real cluster at
`PORTAL_TEST_OPENSEARCH_URL`."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import noida_db
import pytest
from osmem_server import OsmemServer

REAL = os.environ.get("PORTAL_TEST_OPENSEARCH_URL")


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module", params=["real"] if REAL else ["osmem", "noida"])
def address(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    if REAL:
        yield REAL
    elif request.param == "osmem":
        with OsmemServer.start() as server, server.clone() as clone:
            yield clone.url
    else:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        program = Path(noida_db.__file__).parent / "noida-db"
        process = subprocess.Popen(
            [program, "start", "--only", "elasticsearch", "--elasticsearch-port", str(port)],
            cwd=tmp_path_factory.mktemp("noida"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 30
        while not answers(port) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
        process.terminate()
        process.wait()
