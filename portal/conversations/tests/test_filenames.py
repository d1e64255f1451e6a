from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.conversations import filenames
from portal.conversations.models import Conversation
from portal.participants.models import Participant

ANY = st.text(max_size=200)


def conversation(name: str, title: str) -> Conversation:
    return Conversation(
        participant=Participant(name=name),
        title=title,
        created_at=datetime(2026, 11, 23, 23, 30, tzinfo=UTC),  # the 24th in Madrid
    )


@pytest.mark.parametrize(
    ("name", "title", "expected"),
    [
        ("Ana Pérez", "Padrón y salud", "2026-11-24 Ana Pérez - Padrón y salud.docx"),
        ("Ana Pérez", "", "2026-11-24 Ana Pérez.docx"),
        ("Ana Pe\u0301rez", "24/7: ¿y ahora?", "2026-11-24 Ana Pérez - 24 7 ¿y ahora.docx"),
        ("../../etc", "..\\.. ", "2026-11-24 etc.docx"),
        ("Ana\u202excod.exe", "Uno\n\tdos\0", "2026-11-24 Anaxcod.exe - Uno dos.docx"),
        ("مريم", "-rf *", "2026-11-24 مريم - rf.docx"),
        ("Ñ" * 120, "", f"2026-11-24 {'Ñ' * 24}.docx"),
    ],
)
def test_names_are_readable(name: str, title: str, expected: str) -> None:
    assert filenames.of_conversation(conversation(name, title), ".docx") == expected


@given(name=ANY, title=ANY)
def test_names_are_safe(name: str, title: str) -> None:
    talk = conversation(name, title)
    folder, file = filenames.of_folder(talk), filenames.of_conversation(talk, ".docx")
    assert file.startswith("2026-11-24")
    assert file.endswith(".docx")
    # Within what Windows takes of a path, below a folder of downloads.
    assert len(f"{folder}/{file}".encode()) < 220
    for made in (folder, file):
        assert not set(made) & set('<>:"/\\|?*')
        assert all(unicodedata.category(char)[0] != "C" for char in made)
        assert made == unicodedata.normalize("NFC", made).strip(" .")
        assert made.encode()


@given(st.lists(st.sampled_from(["a", "A", "a (2)", "á", "b"]), max_size=20))
def test_names_in_one_place_differ_by_more_than_case(names: list[str]) -> None:
    taken: set[str] = set()
    for name in names:
        made = filenames.unique(name, taken)
        assert made.startswith(name)
        assert made.casefold() not in taken
        taken.add(made.casefold())
    assert len(taken) == len(names)
