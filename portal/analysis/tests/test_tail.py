from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from portal.analysis.tail import tail

talk = st.lists(st.sampled_from(["S1", "S2", "S3"]), min_size=1, max_size=60)


@given(talk, st.data(), st.integers(0, 8), st.integers(1, 30))
def test_it_begins_with_a_whole_turn_before_what_is_new(
    speakers: list[str], data: st.DataObject, changes: int, most: int
) -> None:
    fresh = data.draw(st.integers(0, len(speakers) - 1))
    start = tail(speakers, fresh, changes=changes, most=most)
    assert 0 <= start <= fresh
    assert start == 0 or speakers[start] != speakers[start - 1]
    inside = range(start + 1, fresh + 1)
    told = sum(speakers[index] != speakers[index - 1] for index in inside)
    assert told <= changes
    # Shorter than asked for only where so many pieces have been reached.
    assert start == 0 or told == changes or fresh - start >= most


def test_what_was_said_by_one_person_all_along_is_read_whole() -> None:
    assert tail(["S1"] * 200, 199, changes=2, most=10) == 0
