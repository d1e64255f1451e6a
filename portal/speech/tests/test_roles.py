from __future__ import annotations

import pytest

from portal.speech.engines.base import Turn
from portal.speech.roles import assign_roles


def roles_of(text: str) -> dict[str, str]:
    """Roles of a dialogue in which each line opens with its speaker: ``A: ...``."""
    return dict(assign_roles(turns(text)).roles)


def turns(text: str) -> list[Turn]:
    lines = [line.strip().split(": ", 1) for line in text.strip().splitlines()]
    return [Turn(who, i, i + 1, said) for i, (who, said) in enumerate(lines)]


# A is the employee in each.
DIALOGUES = {
    "plain": """
        A: Buenos días, ¿cómo se llama usted?
        B: Me llamo Irina y soy de Moldavia.
        A: ¿Y con quién vive?
        B: Vivo con mi hija en una habitación.
        A: ¿Tiene algún ingreso ahora?
        B: No, perdí el trabajo en enero.""",
    "the participant speaks first": """
        B: Hola, buenas, vengo porque me han dicho que aquí ayudan con la comida.
        A: Pase, siéntese. ¿Es la primera vez que viene?
        B: Sí, me mandó mi vecina.
        A: Muy bien. ¿Me puede decir cuántas personas viven en su casa?
        B: Somos cinco, mi marido, mis tres niños y yo.""",
    "the participant speaks first and asks": """
        B: ¿Se puede? ¿Es aquí lo de las ayudas?
        A: Sí, adelante, siéntese, por favor.
        B: Gracias. Es que estoy muy nervioso.
        A: No se preocupe. Le voy a hacer unas preguntas y lo que me cuente es confidencial.
        B: Vale. Necesito pagar el alquiler, debo dos meses.
        A: ¿Desde cuándo está usted sin trabajo?
        B: Desde el verano. Trabajaba en un bar.""",
    "without punctuation": """
        A: buenas tardes tiene usted la nacionalidad española
        B: no yo soy de senegal tengo la tarjeta roja
        A: y donde vive ahora
        B: vivo en un piso con otros seis compañeros
        A: muy bien me puede contar como está de salud
        B: me duele mucho la espalda trabajo en el campo""",
    "with tú": """
        A: Cuéntame, ¿qué tal estás?
        B: Regular, duermo poco.
        A: ¿Y cómo te llevas con tu familia?
        B: Con mi padre no hablo. Mi madre me ayuda.
        A: Vale, lo apunto. ¿Tienes a alguien más?
        B: A mis amigas del instituto.""",
    "the employee hardly speaks": """
        B: Pues mire, yo llegué hace dos años con mi hermano y al principio dormíamos en la calle.
        A: Entiendo.
        B: Después encontramos una habitación, pero el dueño nos echó porque no pagamos.
        A: ¿Y ahora?
        B: Ahora estamos en casa de mi prima, en el salón, con sus hijos, y no sé hasta cuándo.
        A: Muy bien, lo apunto.
        B: Trabajo por horas, cobro poco, y mi hermano busca algo en la obra.""",
    "the employee explains at length": """
        A: Antes de empezar le explico. Esta entrevista es confidencial, la grabo si me deja.
        B: Sí, sí.
        A: Sus datos solo los ve el equipo, y puede retirar el consentimiento cuando quiera.
        B: De acuerdo.
        A: Vamos con la primera pregunta. ¿Está usted empadronada?
        B: Sí, en casa de mi hija.
        A: ¿Tiene lavadora, nevera, cocina?
        B: Nevera y cocina, la lavadora se rompió.""",
    "the participant asks back": """
        A: ¿Trabaja usted ahora?
        B: No. ¿Usted sabe si me pueden hacer un contrato sin papeles?
        A: Eso se lo explica la abogada. ¿Y ha trabajado antes en España?
        B: Sí, cuidé a una señora mayor. ¿Eso cuenta?
        A: Claro que cuenta. ¿Cuánto tiempo estuvo?
        B: Estuve un año, vivía con ella.
        A: ¿Y de salud, cómo se encuentra?
        B: Bien, solo que me duelen las rodillas.""",
    "short answers": """
        A: ¿Tiene pareja?
        B: No.
        A: ¿Hijos?
        B: Dos.
        A: ¿Viven con usted?
        B: Uno. El otro está en mi país.
        A: ¿Recibe alguna ayuda?
        B: Ninguna.""",
    "both are polite": """
        B: Perdone el retraso, es que vengo de lejos.
        A: No se preocupe, pase y siéntese.
        B: Muchas gracias, muy amable.
        A: Dígame, ¿en qué le podemos ayudar?
        B: Pues necesito encontrar un trabajo, y tengo a mi cargo a mi padre.
        A: Entiendo. ¿Y quién lo cuida mientras usted está aquí?
        B: Mi hermana, pero ella también trabaja.""",
}


@pytest.mark.parametrize("name", DIALOGUES)
def test_the_employee_is_found(name: str) -> None:
    found = assign_roles(turns(DIALOGUES[name]))
    assert found.roles == {"A": "empleado", "B": "usuario"}
    assert found.decided


@pytest.mark.parametrize("name", DIALOGUES)
def test_labels_do_not_matter(name: str) -> None:
    swapped = DIALOGUES[name].replace("A: ", "S2: ").replace("B: ", "S1: ")
    assert roles_of(swapped) == {"S2": "empleado", "S1": "usuario"}


def test_an_interpreter_is_someone_else() -> None:
    dialogue = """
        A: ¿Desde cuándo vive usted en España?
        C: Dice que desde hace un año.
        A: ¿Y con quién vive?
        B: With my brother, mi hermano.
        C: Dice que vive con su hermano.
        A: ¿Tiene trabajo?
        B: No trabajo, no, busco.
        C: Dice que está buscando.
        B: Mi hermano trabaja, yo no.
        A: Muy bien, lo apunto en la ficha."""
    assert roles_of(dialogue) == {"A": "empleado", "B": "usuario", "C": "otro"}


def test_somebody_who_looks_in_is_someone_else() -> None:
    dialogue = (
        DIALOGUES["plain"] + "\n        C: Perdón.\n" + DIALOGUES["short answers"].strip("\n")
    )
    assert roles_of(dialogue) == {"A": "empleado", "B": "usuario", "C": "otro"}


@pytest.mark.parametrize("name", DIALOGUES)
@pytest.mark.parametrize(("label", "known"), [("A", "empleado"), ("B", "usuario")])
def test_a_voice_known_by_its_sample_leaves_the_other_role(
    name: str, label: str, known: str
) -> None:
    found = assign_roles(turns(DIALOGUES[name].replace(f"{label}: ", f"{known}: ")))
    other = {"empleado": ("B", "usuario"), "usuario": ("A", "empleado")}[known]
    assert found.roles == {known: known, other[0]: other[1]}
    assert found.decided


def test_a_sample_is_believed_whatever_is_said() -> None:
    asks = DIALOGUES["plain"].replace("A: ", "usuario: ").replace("B: ", "S2: ")
    assert roles_of(asks) == {"usuario": "usuario", "S2": "empleado"}


def test_whom_no_sample_fits_is_someone_else() -> None:
    dialogue = DIALOGUES["plain"].replace("A: ", "empleado: ").replace("B: ", "usuario: ")
    found = roles_of(dialogue + "\n        S3: Perdón, ¿cuánto falta?")
    assert found == {"empleado": "empleado", "usuario": "usuario", "S3": "otro"}


def test_an_interpreter_does_not_take_the_role_that_is_left() -> None:
    dialogue = """
        empleado: ¿Desde cuándo vive usted en España?
        S3: Dice que desde hace un año.
        S2: Un año, con mi hermano.
        S3: Dice que vive con su hermano.
        empleado: ¿Tiene trabajo?
        S2: No trabajo, no, busco."""
    assert roles_of(dialogue) == {"empleado": "empleado", "S2": "usuario", "S3": "otro"}


def test_one_voice_that_tells_of_itself_is_the_participant() -> None:
    found = assign_roles(turns("S1: Vivo con mi madre y busco trabajo.\nS1: Me duele la espalda."))
    assert found.roles == {"S1": "usuario"}


def test_too_little_to_go_by_is_not_decided() -> None:
    assert not assign_roles(turns("A: Sí.\nB: Claro.")).decided


def test_nothing_said() -> None:
    assert assign_roles([]).roles == {}
