"""Who is who, as it becomes clear."""

from __future__ import annotations

from dataclasses import dataclass

from portal.live.attributing import MANY, Attribution, attribute

NOTHING = Attribution()


@dataclass
class Said:
    speaker: str
    text: str


ASKS = Said("S1", "¿Tiene usted la nacionalidad española? Cuénteme.")
TELLS = Said("S2", "No, soy de Perú y vivo con mi hermana.")


def test_little_said_is_a_guess() -> None:
    found = attribute([Said("S1", "Buenos días."), Said("S2", "Hola.")], NOTHING)
    assert set(found.roles.values()) == {"empleado", "usuario"}
    assert not found.settled


def test_how_they_talk_settles_it() -> None:
    found = attribute([ASKS, TELLS] * 3, NOTHING)
    assert found == Attribution({"S1": "empleado", "S2": "usuario"}, settled=True)


def test_what_is_settled_only_gives_way_to_what_is_sure() -> None:
    before = Attribution({"S1": "usuario", "S2": "empleado"}, settled=True)
    found = attribute([Said("S1", "Hola."), Said("S2", "Hola.")], before)
    assert found == before
    assert attribute([ASKS, TELLS] * 6, before).roles == {"S1": "empleado", "S2": "usuario"}


def test_after_many_turns_the_guess_has_to_do() -> None:
    turns = [Said("S1", "Bla."), Said("S2", "Bla.")] * MANY
    assert not attribute(turns[: MANY - 1], NOTHING).settled
    assert attribute(turns, NOTHING).settled


def test_samples_are_believed() -> None:
    turns = [Said("empleado", "Hola."), Said("usuario", "Hola."), Said("S1", "Hola.")]
    expected = {"empleado": "empleado", "usuario": "usuario", "S1": "otro"}
    assert attribute(turns, NOTHING) == Attribution(expected, settled=True)


def test_one_sample_tells_who_the_other_is() -> None:
    # However much the other one asks.
    turns = [Said("empleado", TELLS.text), ASKS] * 3
    expected = {"empleado": "empleado", "S1": "usuario"}
    assert attribute(turns, NOTHING) == Attribution(expected, settled=True)
    turns = [Said("usuario", ASKS.text), TELLS] * 3
    expected = {"usuario": "usuario", "S2": "empleado"}
    assert attribute(turns, NOTHING) == Attribution(expected, settled=True)


def test_who_of_two_others_a_sample_leaves_the_role_to_has_to_become_clear() -> None:
    known = Said("empleado", ASKS.text)
    found = attribute([known, Said("S1", "Sí."), Said("S2", "Claro.")], NOTHING)
    assert found.roles["empleado"] == "empleado"
    assert not found.settled
    relative = Said("S1", "Dice que sí.")
    found = attribute([known, relative, TELLS] * 3, NOTHING)
    expected = {"empleado": "empleado", "S1": "otro", "S2": "usuario"}
    assert found == Attribution(expected, settled=True)


def test_a_new_voice_takes_no_role_that_is_settled() -> None:
    before = Attribution({"S1": "usuario"}, settled=True)
    found = attribute([Said("S1", "Hola."), Said("S2", "Hola.")], before)
    assert found == Attribution({"S1": "usuario", "S2": "empleado"}, settled=True)
    found = attribute([Said("S1", "Hola."), Said("S2", "Hola."), Said("S3", "Hola.")], found)
    assert found.roles == {"S1": "usuario", "S2": "empleado", "S3": "otro"}


def test_a_sample_that_comes_later_takes_its_role_back() -> None:
    before = Attribution({"S1": "empleado", "S2": "usuario"}, settled=True)
    turns = [Said("S1", "Sí."), Said("S2", "Ya."), Said("empleado", "Hola.")]
    found = attribute(turns, before)
    assert found.roles == {"S1": "otro", "S2": "usuario", "empleado": "empleado"}
