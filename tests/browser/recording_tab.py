"""A page with the recording modules and nothing around them, and what the server has of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import BrowserContext, Page

from portal.live.journal import read
from portal.live.models import LiveRecording
from portal.live.protocol import Audio, Gap

RECORDER = """async ({ addresses, maxSeconds, lastAt }) => {
  const [{ Capture }, { Outbox }, { Recorder }] = await Promise.all(
    ["capture", "outbox", "recorder"].map((name) => import(`/static/live/${name}.js`)));
  const told = [];
  const given = [];
  if (!Outbox.prototype.plain) {
    Outbox.prototype.plain = Outbox.prototype.append;
    Outbox.prototype.append = async function (kind, payload, at) {
      const bytes = kind === 0 ? new Uint8Array(payload.slice().buffer) : [];
      await this.plain(kind, payload, at);
      globalThis.live.given.push(...bytes);
    };
  }
  const recorder = new Recorder({ addresses, maxSeconds, lastAt });
  for (const name of ["state", "saved", "connection", "problem", "ended", "coverage", "time"]) {
    recorder.addEventListener(name, ({ detail }) => told.push({ name, ...detail }));
  }
  globalThis.live = { Capture, Outbox, recorder, told, given };
}"""
BEGIN = """async (options) => {
  live.capture = await live.Capture.open({});
  return live.recorder.begin(live.capture, options);
}"""


@dataclass
class Tab:
    """A page with a Recorder in it."""

    page: Page

    def load(self, recording: LiveRecording, *, max_seconds: float = 3600) -> None:
        self.page.goto("/")
        base = f"/grabaciones/{recording.pk}"
        addresses = {
            "id": str(recording.pk),
            "socket": f"{base}/socket/",
            "finish": f"{base}/terminar/",
            "discard": f"{base}/descartar/",
            "tick": f"{base}/preguntas/__pregunta__/",
        }
        self.page.evaluate(RECORDER, {"addresses": addresses, "maxSeconds": max_seconds})

    def begin(self, **options: bool) -> bool:
        return bool(self.page.evaluate(BEGIN, options))

    def run(self, script: str) -> Any:
        return self.page.evaluate(script)

    def wait(self, condition: str) -> None:
        # As a function: the page's policy allows no text as code.
        self.page.wait_for_function(f"() => {condition}")

    def record(self, seconds: float) -> None:
        """So much more is recorded."""
        goal = self.run("live.recorder.seconds") + seconds
        self.page.wait_for_function("goal => live.recorder.seconds >= goal", arg=goal)

    def stop(self) -> None:
        """Pause, and wait until everything is on the server."""
        self.run("live.recorder.pause()")
        self.wait("live.recorder.pendingSeconds === 0")

    def problems(self) -> list[str]:
        found = self.run("live.told.filter(({name}) => name === 'problem').map(({code}) => code)")
        assert isinstance(found, list)
        return found

    def given(self) -> bytes:
        """The audio that the outbox has written down since the page was loaded."""
        return bytes(self.run("live.given"))


@dataclass
class Tabs:
    context: BrowserContext
    noted: list[str] = field(default_factory=list)

    def open(self) -> Tab:
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.noted.append(str(error)))
        return Tab(page)


def entries(recording: LiveRecording, part: int = 1) -> list[Audio | Gap]:
    return [entry for entry, _ in read(recording.folder / f"{part:03d}.journal")]


def audio(recording: LiveRecording, part: int = 1) -> bytes:
    return b"".join(e.pcm for e in entries(recording, part) if isinstance(e, Audio))


def gaps(recording: LiveRecording, part: int = 1) -> list[Gap]:
    return [e for e in entries(recording, part) if isinstance(e, Gap)]
