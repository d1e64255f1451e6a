"""``python -m portal.speech.probe FILE``: the child process of ``audio.probe_isolated``.

Prints one JSON object. Limits are set here, before the first byte of the file is looked at.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path


def limit(*, cpu_seconds: int, memory_bytes: int) -> None:
    """Bound this process. Windows has no such limits; there only the parent's timeout holds."""
    try:
        import resource
    except ImportError:  # pragma: no cover
        return
    for kind, value in (
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        _, hard = resource.getrlimit(kind)
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (ceiling, ceiling))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--cpu-seconds", type=int, required=True)
    parser.add_argument("--memory-bytes", type=int, required=True)
    arguments = parser.parse_args()
    limit(cpu_seconds=arguments.cpu_seconds, memory_bytes=arguments.memory_bytes)

    from portal.speech.audio import probe_as_json

    sys.stdout.write(probe_as_json(arguments.path))


if __name__ == "__main__":
    main()
