"""A small questionnaire with one question of each kind."""

from __future__ import annotations

from portal.assessments.blueprint import Blueprint, PlannedDomain, PlannedQuestion

YES_NO = (("si", "Sí"), ("no", "No"))
HOUSEHOLD = PlannedDomain(
    slug="hogar",
    name="Hogar",
    colour="green",
    icon="house-door",
    translations={"en": "Household"},
    questions=(
        PlannedQuestion("bienvenida", "Gracias por venir.", kind="note"),
        PlannedQuestion(
            "vivienda",
            "¿Dónde vive?",
            kind="select_one",
            required=True,
            choices=(("piso", "Piso"), ("compartido", "Piso compartido"), ("calle", "En la calle")),
            cues=("¿donde vive*?", "+vivo|vivimos en"),
            examples=("¿Y dónde duerme ahora?", "Vivo en un piso con mi hermana."),
            prompt="¿Dónde está viviendo ahora?",
            hint="Donde duerme casi siempre.",
            translations={
                "en": {
                    "text": "Where do you live?",
                    "hint": "Where you mostly sleep.",
                    "choices": {"piso": "Flat", "compartido": "Shared flat", "calle": "Street"},
                }
            },
        ),
        PlannedQuestion(
            "alquiler", "¿Cuánto paga?", kind="decimal", relevant="${vivienda} != 'calle'"
        ),
        PlannedQuestion("personas", "¿Cuántas personas son?", kind="integer"),
    ),
)
HELP = PlannedDomain(
    slug="ayuda",
    name="Ayuda",
    colour="blue",
    icon="people",
    questions=(
        PlannedQuestion("llegada", "¿Cuándo llegó?", kind="date"),
        PlannedQuestion(
            "ayudas",
            "¿Qué ayudas recibe?",
            kind="select_multiple",
            choices=(("luz", "Bono de luz"), ("comida", "Alimentos")),
            relevant="${personas} > 1 and not(${vivienda} = '')",
        ),
        PlannedQuestion("ingresos", "¿Qué ingresos tiene?"),
    ),
)
PLAN = Blueprint("hogar", "Hogar y ayuda", "es", (HOUSEHOLD, HELP))
