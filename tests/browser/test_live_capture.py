"""The microphone's frames, and the store that keeps them in the browser."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.live.protocol import SAMPLE_RATE, Audio, Gap, GapKind, parse_entry
from tests.browser import microphone
from tests.browser.microphone import Pcm
from tests.browser.recording_tab import Tab

# The microphone

NO_16_KHZ = """
const plain = AudioContext.prototype.createMediaStreamSource;
AudioContext.prototype.createMediaStreamSource = function (stream) {
  if (this.sampleRate === 16000) throw new DOMException("", "NotSupportedError");
  return plain.call(this, stream);
};"""
HEAR = """async (seconds) => {
  const { Capture } = await import("/static/live/capture.js");
  const capture = await Capture.open({});
  const frames = [];
  const levels = [];
  capture.addEventListener("level", ({ detail }) => levels.push(detail));
  capture.onframe = (pcm) => frames.push([...pcm]);
  capture.start();
  await new Promise((done) => setTimeout(done, seconds * 1000));
  await capture.flush();
  const known = frames.length;
  await new Promise((done) => setTimeout(done, 300));
  const { sampleRate } = capture.context;
  capture.close();
  return { frames, levels, sampleRate, late: frames.length - known };
}"""


@pytest.mark.parametrize("resampled", [False, True])
def test_frames_are_what_the_microphone_heard(
    tab: Tab, spoken: tuple[Path, Pcm], resampled: bool
) -> None:
    if resampled:
        tab.page.add_init_script(NO_16_KHZ)
    tab.page.goto("/")
    heard = tab.page.evaluate(HEAR, 6)
    assert (heard["sampleRate"] == SAMPLE_RATE) is not resampled
    *whole, last = heard["frames"]
    assert {len(frame) for frame in whole} == {4000}
    assert 0 < len(last) <= 4000
    assert heard["late"] == 0
    samples = np.concatenate([np.array(frame, dtype=np.int16) for frame in heard["frames"]])
    assert len(samples) > 5 * SAMPLE_RATE
    likeness = microphone.likeness(samples, spoken[1])
    print(f"likeness {'resampled' if resampled else 'native'}: {likeness:.4f}")  # noqa: T201
    assert likeness > 0.98
    loudest = max(level["peak"] for level in heard["levels"])
    assert loudest == pytest.approx(np.abs(samples).max() / 32768, abs=0.01)
    assert all(level["rms"] <= level["peak"] for level in heard["levels"])


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("NotAllowedError", "denied"),
        ("NotFoundError", "none"),
        ("OverconstrainedError", "none"),
        ("NotReadableError", "busy"),
        ("TypeError", "failed"),
    ],
)
def test_a_microphone_that_cannot_be_opened_says_why(tab: Tab, name: str, code: str) -> None:
    tab.page.goto("/")
    found = tab.page.evaluate(
        """async (name) => {
          const { Capture } = await import("/static/live/capture.js");
          navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", name); };
          return Capture.open({}).catch((error) => error.code);
        }""",
        name,
    )
    assert found == code


def test_what_a_browser_lacks_is_known_before(tab: Tab) -> None:
    tab.page.goto("/")
    assert tab.run(
        """import("/static/live/capture.js").then(({ Capture }) => {
          const found = [Capture.problem()];
          delete globalThis.AudioWorkletNode;
          found.push(Capture.problem());
          Object.defineProperty(globalThis, "isSecureContext", { value: false });
          return [...found, Capture.problem()];
        })"""
    ) == [None, "no-worklet", "insecure"]


# The outbox

OUTBOX = """async ({ recording, steps }) => {
  const { Outbox, Kind } = await import("/static/live/outbox.js");
  let outbox = Outbox.create({ recording, socket: "/nowhere/" });
  const plain = IDBObjectStore.prototype.put;
  const full = function () { throw new DOMException("", "QuotaExceededError"); };
  let told = 0;
  const listen = () => outbox.addEventListener("problem", () => { told += 1; });
  listen();
  const pending = [];
  for (const [step, value] of steps) {
    if (step === "audio") {
      pending.push(outbox.append(Kind.AUDIO, new Int16Array(value).fill(value)));
    }
    if (step === "gap") pending.push(outbox.append(Kind.PAUSED, value));
    if (step === "ack") {
      await Promise.all(pending);
      const next = outbox.acked + Math.floor(value * outbox.pending);
      await outbox.acknowledge(next, next * 10);
    }
    if (step === "full") {
      await Promise.all(pending);
      IDBObjectStore.prototype.put = value ? full : plain;
    }
    if (step === "reload") {
      await Promise.all(pending);
      const [row] = await Outbox.parts(recording);
      if (row) { outbox = new Outbox(row); listen(); }
    }
  }
  await Promise.all(pending);
  IDBObjectStore.prototype.put = plain;
  const left = await outbox.read(outbox.acked, 1000);
  const { acked, next, committed, pendingSeconds } = outbox;
  const leftovers = (await Outbox.leftovers()).map((one) => one.recording);
  await Outbox.forget(recording);
  const gone = (await Outbox.parts(recording)).length === 0;
  const messages = left.map(({ seq, message }) => [seq, [...message]]);
  return { messages, acked, next, committed, pendingSeconds, told, gone, leftovers };
}"""

steps = st.lists(
    st.one_of(
        st.tuples(st.just("audio"), st.integers(1, 40)),
        st.tuples(st.just("gap"), st.integers(0, 2**32 - 1)),
        st.tuples(st.just("ack"), st.floats(0, 1)),
        st.tuples(st.just("full"), st.booleans()),
        st.tuples(st.just("reload"), st.just(0)),
    ),
    max_size=25,
)


def test_an_outbox_gives_back_what_it_was_given_in_order(tab: Tab) -> None:
    tab.page.goto("/")

    @settings(
        max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(steps=steps)
    def check(steps: list[tuple[str, Any]]) -> None:
        recording = str(uuid.uuid4())
        found = tab.page.evaluate(OUTBOX, {"recording": recording, "steps": steps})
        given = [(kind, value) for kind, value in steps if kind in ("audio", "gap")]
        lossless = all(kind != "reload" for kind, _ in steps) or all(
            kind != "full" for kind, _ in steps
        )
        assert found["committed"] == found["next"]
        assert [seq for seq, _ in found["messages"]] == list(range(found["acked"], found["next"]))
        for seq, message in found["messages"]:
            entry = parse_entry(bytes(message))
            assert entry.seq == seq
            if not lossless:
                continue
            kind, value = given[seq]
            if kind == "gap":
                assert entry == Gap(seq, GapKind.PAUSED, value)
            else:
                assert entry == Audio(seq, np.full(value, value, np.int16).tobytes())
        if lossless:
            assert found["next"] == len(given)
            waiting = sum(v for k, v in given[found["acked"] :] if k == "audio")
            assert found["pendingSeconds"] == pytest.approx(waiting / SAMPLE_RATE)
            stored = all(kind != "full" for kind, _ in steps)
            if stored:
                assert (recording in found["leftovers"]) == (found["acked"] < found["next"])
        assert found["gone"]

    check()
