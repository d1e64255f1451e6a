"""compile_messages.py FILE.po...: write each catalogue's .mo beside it, without gettext's tools."""

import sys
from pathlib import Path

import polib

for name in sys.argv[1:]:
    polib.pofile(name).save_as_mofile(str(Path(name).with_suffix(".mo")))
