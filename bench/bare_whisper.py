"""The floor: faster-whisper alone, with the model, threads and settings the local engine uses.

Reads paths on standard input and prints the seconds each took, the model being loaded already.
"""

from __future__ import annotations

import sys
import time

from faster_whisper import WhisperModel


def main() -> None:
    folder, threads = sys.argv[1], int(sys.argv[2])
    model = WhisperModel(folder, device="cpu", compute_type="int8", cpu_threads=threads)
    print("ready", flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        segments, _ = model.transcribe(
            line.strip(),
            language="es",
            beam_size=5,
            vad_filter=True,
            word_timestamps=True,
            condition_on_previous_text=False,
        )
        for _segment in segments:
            pass
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
