from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from portal.speech.growing import Growing


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 60), st.booleans()), max_size=30))
def test_it_has_what_was_added_and_not_dropped(steps: list[tuple[int, int, bool]]) -> None:
    growing, kept, number = Growing(), np.empty(0, np.float32), 0
    taken = []
    for more, fewer, clear in steps:
        added = np.arange(number, number + more, dtype=np.float32)
        number += more
        growing.add(added)
        kept = np.concatenate((kept, added))
        drop = min(fewer, len(kept))
        growing.drop(drop)
        kept = kept[drop:]
        if clear:
            growing.clear()
            kept = kept[:0]
        assert len(growing) == len(kept)
        taken.append((growing.values, kept))
    # What was taken before is not written over.
    assert all(np.array_equal(values, then) for values, then in taken)


def test_little_is_copied_however_much_is_kept() -> None:
    growing, copies = Growing(), 0
    for _ in range(10_000):
        before = growing.values.base
        growing.add(np.zeros(10, np.float32))
        copies += growing.values.base is not before
    assert copies < 30
