"""From a press on "Reproducir" to sound, on a two-hour recording, in a real Chromium.

    python -m bench.playing [--json]

Starts an installation of its own in a temporary folder, and removes it. Each run is a new browser
profile: nothing is cached.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from bench.installation import PROJECT, installation, running
from tests.browser.chromium import launch

HOURS = 2.0
RUNS = 5
FAR = 1.5 * 3600  # seconds into it

PRESS = """from => new Promise((heard) => {
    const button = document.querySelector(".play-button");
    if (from) button.dataset.playFrom = from;
    const audio = document.querySelector("audio");
    const pressed = performance.now();
    audio.addEventListener("playing", () => heard(performance.now() - pressed), {once: true});
    button.click();
})"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one flat object as the last line")
    arguments = parser.parse_args()
    figures = playing()
    for name, what in TABLE:
        print(f"{what:<66}{figures[name]:>10.1f}")
    if arguments.json:
        print(json.dumps({name: round(value, 4) for name, value in figures.items()}))


TABLE = (
    ("play_start_ms", "press to sound on a 2-hour recording, from its start, ms (median)"),
    ("play_start_worst_ms", "  the slowest of the runs"),
    ("play_far_ms", "press to sound at 1 h 30 min, ms (median)"),
    ("playback_s_per_hour", "making what is played, seconds per hour of recording"),
)


def playing() -> dict[str, float]:
    """The figures of TABLE."""
    with installation() as (_, environment), running(environment) as (portal, _process, _s):
        made = subprocess.run(
            [sys.executable, "-m", "bench.long_recording", str(HOURS)],
            cwd=PROJECT,
            env=environment,
            check=True,
            capture_output=True,
        )
        who = json.loads(made.stdout)
        address = f"http://{portal.host}:{portal.port}"
        with sync_playwright() as playwright:
            browser = launch(playwright)
            starts = [press(browser, address, who) for _ in range(RUNS)]
            far = [press(browser, address, who, FAR) for _ in range(RUNS)]
            browser.close()
    return {
        "play_start_ms": statistics.median(starts),
        "play_start_worst_ms": max(starts),
        "play_far_ms": statistics.median(far),
        "playback_s_per_hour": who["prepare_s"] / HOURS,
    }


def press(browser: Browser, address: str, who: dict[str, Any], from_second: float = 0) -> float:
    """Milliseconds from the press to the first sound."""
    context = browser.new_context(base_url=address)
    context.add_cookies(
        [{"name": name, "value": value, "url": address} for name, value in who["cookies"].items()]
    )
    page = context.new_page()
    page.goto(f"/personas/{who['participant']}/", wait_until="networkidle")
    taken = float(page.evaluate(PRESS, from_second))
    context.close()
    return taken


if __name__ == "__main__":
    main()
