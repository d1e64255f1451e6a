"""A user of a running portal: signs in, uses the API, and sends files as the pages do."""

from __future__ import annotations

import base64
import http.client
import json
import time
import urllib.parse
from dataclasses import dataclass, field
from datetime import datetime
from http.cookies import SimpleCookie
from typing import Any

CHUNK_BYTES = 8 * 1024 * 1024  # what the page sends at a time


@dataclass
class Portal:
    host: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)

    def request(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=120)
        origin = f"http://{self.host}:{self.port}"
        sent = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "X-CSRFToken": self.cookies.get("csrftoken", ""),
            "Origin": origin,
            "Referer": origin,
            **(headers or {}),
        }
        connection.request(method, path, body=body, headers=sent)
        response = connection.getresponse()
        content = response.read()
        for value in response.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(value).items():
                self.cookies[name] = morsel.value
        connection.close()
        return response.status, {k.lower(): v for k, v in response.headers.items()}, content

    def sign_in(self, email: str, password: str) -> None:
        self.request("GET", "/cuenta/login/")
        form = urllib.parse.urlencode(
            {
                "login": email,
                "password": password,
                "csrfmiddlewaretoken": self.cookies["csrftoken"],
            }
        )
        status, _, _ = self.request(
            "POST",
            "/cuenta/login/",
            form.encode(),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        if status != 302:
            raise SystemExit(f"sign-in answered {status}")

    def api(self, method: str, path: str, data: dict[str, Any] | None = None) -> Any:
        status, _, content = self.request(
            method,
            f"/api/v1{path}",
            json.dumps(data).encode() if data is not None else b"",
            {"Content-Type": "application/json"},
        )
        if status >= 400:
            raise SystemExit(f"{method} {path} answered {status}: {content[:300]!r}")
        return json.loads(content)

    def new_participant(self, name: str) -> tuple[str, int]:
        """-> (participant id, consent id)"""
        made = self.api("POST", "/participants", {"name": name, "email": "bench@example.org"})
        consent = self.api(
            "POST", f"/participants/{made['id']}/consents", {"record": True, "analyse": True}
        )
        return made["id"], consent["id"]

    def upload(self, *, participant: str, consent: int, name: str, pieces: Pieces) -> str:
        """Send by tus, in the page's pieces. -> address of the upload"""
        metadata = {
            "filename": name,
            "participant": participant,
            "consent": str(consent),
            "engine": "local",
            "language": "es",
        }
        encoded = ",".join(
            f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in metadata.items()
        )
        status, headers, content = self.request(
            "POST",
            "/subidas/",
            headers={
                "Tus-Resumable": "1.0.0",
                "Upload-Length": str(pieces.total),
                "Upload-Metadata": encoded,
            },
        )
        if status != 201:
            raise SystemExit(f"upload answered {status}: {content[:300]!r}")
        path = urllib.parse.urlsplit(headers["location"]).path
        offset = 0
        while offset < pieces.total:
            piece = pieces.at(offset)
            status, headers, content = self.request(
                "PATCH",
                path,
                piece,
                {
                    "Tus-Resumable": "1.0.0",
                    "Upload-Offset": str(offset),
                    "Content-Type": "application/offset+octet-stream",
                },
            )
            if status not in (200, 204):
                raise SystemExit(f"piece at {offset} answered {status}: {content[:300]!r}")
            offset = int(headers["upload-offset"])
        return path

    def wait(self, participant: str, *, timeout_s: float = 3600) -> dict[str, Any]:
        """Ask once a second until the participant's one conversation is processed."""
        until = time.monotonic() + timeout_s
        while time.monotonic() < until:
            found = self.api("GET", f"/participants/{participant}/conversations")["items"]
            steps = found[0]["steps"] if found else []
            if steps and all(step["state"] not in ("waiting", "running") for step in steps):
                return dict(found[0])
            time.sleep(1)
        raise SystemExit("the conversation did not end in time")


@dataclass(frozen=True)
class Pieces:
    """A file of ``total`` bytes that repeats ``content``: 2 GB are sent without being held."""

    content: bytes
    total: int

    def at(self, offset: int) -> bytes:
        wanted = min(CHUNK_BYTES, self.total - offset)
        start = offset % len(self.content)
        piece = self.content[start : start + wanted]
        while len(piece) < wanted:
            piece += self.content[: wanted - len(piece)]
        return piece


def seconds_between(start: str, end: str) -> float:
    return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds()
