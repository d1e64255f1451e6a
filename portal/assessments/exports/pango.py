"""What WeasyPrint draws with, which is of the system: is it there?

``python -m portal.assessments.exports.pango`` names what is missing and then exits with 1. Knows of
nothing else, so that the set-up can ask.
"""

from __future__ import annotations

import sys
from ctypes import CDLL

LIBRARIES = (
    "libgobject-2.0.so.0",
    "libpango-1.0.so.0",
    "libpangoft2-1.0.so.0",
    "libharfbuzz.so.0",
    "libharfbuzz-subset.so.0",
    "libfontconfig.so.1",
)
MEND = (
    "En Debian y Ubuntu: «sudo apt-get install libpango-1.0-0 libpangoft2-1.0-0 "
    "libharfbuzz-subset0 fonts-dejavu-core», y vuelva a iniciar el portal."
)


def missing() -> list[str]:
    """Those of LIBRARIES that cannot be loaded."""
    found = []
    for library in LIBRARIES:
        try:
            CDLL(library)
        except OSError:
            found.append(library)
    return found


if __name__ == "__main__":
    if lacking := missing():
        sys.exit(f"Falta para hacer los PDF: {', '.join(lacking)}. {MEND}")
