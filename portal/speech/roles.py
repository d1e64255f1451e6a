"""Who of the speakers is the employee and who the participant, told by how they talk.

An interviewer asks, addresses the other, and speaks of the procedure (consent, recording, form).
The person interviewed tells facts in the first person. Who speaks first says nothing. Wording is
Spanish; questions are also recognised by their mark in any language.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from portal.speech.engines.base import Turn

EMPLOYEE, PARTICIPANT, OTHER = "empleado", "usuario", "otro"
ROLES = (EMPLOYEE, PARTICIPANT, OTHER)

DECIDED = 0.65
"""Confidence from which a label may be replaced by its role without asking a person."""


@dataclass(frozen=True, slots=True)
class Roles:
    """``roles``: speaker label to role. ``confidence``: 0.5 (a guess) to 1."""

    roles: Mapping[str, str]
    confidence: float

    @property
    def decided(self) -> bool:
        return self.confidence >= DECIDED


@dataclass(frozen=True, slots=True)
class _Sign:
    """``weight`` is for the employee when above 0; it counts once per turn."""

    pattern: re.Pattern[str]
    weight: float


def _sign(weight: float, pattern: str) -> _Sign:
    return _Sign(re.compile(pattern, re.VERBOSE), weight)


# Patterns are matched against text in lower case without accents.
SIGNS = (
    # Questions to the other person, with and without the mark that a recogniser may leave out.
    _sign(
        2.0,
        r"""\b(tiene[ns]?|vive[ns]?|esta[ns]?|ha[ns]?|puede[ns]?|sabe[ns]?|trabaja[ns]?|recibe[ns]?
        |cobra[ns]?|cree[ns]?|considera|dedica|necesita|cuenta|quiere|conoce|lleva|estudia)
        \s(usted|ustedes|tu)\b""",
    ),
    _sign(
        1.5,
        r"""(^|[.?!¿]\s*)\W*((y|pero|entonces|bueno|vale|muy\sbien|de\sacuerdo)\W+)*
        (con\squien|de\sque|desde\scuando|hace\scuanto|en\sque|a\sque|para\sque|por\sque|de\sdonde
        |cuantos|cuantas|cuanto|cuando|donde|como|que|quien|cual|cuales)\s
        (es|son|fue|era|se|le|les|te|tiene|tienes|tienen|vive|vives|viven|hace|haces|esta|estas|estan
        |ha|has|han|piensa|considera|valora|valoraria|describiria|personas|tipo|edad|paga|cobra
        |trabaja|necesita|estudios|ingresos|gastos|anos|tal)\b""",
    ),
    _sign(
        2.0,
        r"\b(digame|dime|cuenteme|cuentame|expliqueme|explicame|me\s(puede|puedes|podria)\s(decir|"
        r"contar|explicar)|hableme|hablame)\b",
    ),
    _sign(
        1.5,
        r"""\b(le|les|te)\s(voy\sa|vamos\sa|hare|hago|importa|parece|gustaria|explico|llamare|llamo
        |pregunto|preguntare|haria|podemos|informo|recuerdo|comento|molesta|agradezco)\b""",
    ),
    _sign(1.0, r"\b(usted|ustedes)\b"),
    _sign(
        0.7,
        r"\b(su|sus|tu|tus)\s(situacion|familia|casa|vivienda|hogar|salud|unidad|estudios"
        r"|domicilio|nombre|hij[oa]s?|pareja|consentimiento|datos|nacionalidad)\b",
    ),
    # The procedure.
    _sign(
        2.0,
        r"""\b(consentimiento|confidencial\w*|formulario|cuestionario|la\sficha|entrevista
        |cruz\sroja|(voy|vamos)\sa\s(grabar|apuntar|anotar|empezar|hacerle|hacerte|preguntar\w*)
        |(la|esta)\sgrabacion|grabo|estamos\sgrabando|siguiente\spregunta|otra\spregunta|una\spregunta
        |unas\spreguntas|ultima\spregunta|para\s(terminar|acabar)|hemos\s(terminado|acabado)
        |(lo|la|me\slo)\s(apunto|anoto)|tomo\snota|podemos\s(ayudarle|ayudarte|ofrecerle)
        |pasamos\sa|pasemos\sa|vamos\scon)\b""",
    ),
    _sign(
        1.0,
        r"\b(pase|pasa|sientese|sientate|adelante|firme\saqui|tranquil[oa]|no\sse\spreocupe"
        r"|no\ste\spreocupes|gracias\spor\s(venir|contar\w*|su\s|compartir\w*))\b",
    ),
    _sign(0.6, r"^\W*(vale|entiendo|comprendo|muy\sbien|de\sacuerdo|perfecto|estupendo|ya\sveo)\b"),
    # Facts told in the first person.
    _sign(
        -1.5,
        r"""\b(yo\s(no\s)?(soy|vivo|tengo|trabajo|estoy|vine|llegue|cobro|estudie|era|tenia|me)
        |vivo|vivimos|vine|vinimos|llegue|llegamos|naci|cobro|cobramos|gano|ganamos|alquilo
        |debo|debemos|pago|pagamos|trabajaba|trabaje|trabajo\s(de|en|por)|limpio|cuido|duermo|dormimos
        |estudie|estudio|sufri|perdi|busco|quisiera|me\s(duele|quede|dieron|dijeron|echaron|ayuda
        |ayudan|siento|gusta|cuesta|prestan?|pagan?|despidieron|mude|case|separe|divorcie)
        |nos\s(ayudan?|echaron|dieron|dijeron|quedamos|arreglamos|llevamos|apanamos))\b""",
    ),
    _sign(
        -1.0,
        r"""\b(tengo|tenemos|soy\sde|estoy|estamos|llevo|llevamos|necesito|necesitamos|tuve|estuve
        |no\spuedo|no\spodemos|no\shemos\spodido|no\sse\b|he\s(estado|tenido|trabajado|ido|perdido))\b""",
    ),
    _sign(
        -1.5,
        r"""\b(mis?|nuestr[oa]s?)\s(madre|padre|padres|marido|mujer|esposo|esposa|hij[oa]s?|herman[oa]s?
        |abuel[oa]s?|pareja|novi[oa]|suegr[oa]s?|familia|prim[oa]s?|vecin[oa]s?|casa|piso|habitacion
        |pais|cunad[oa]s?|ti[oa]s?|sobrin[oa]s?|niet[oa]s?|nin[oa]s?|nen[ea]s?|jef[ea]|amig[oa]s?)\b""",
    ),
    _sign(-0.7, r"^\W*(si|no|pues|bueno|a\sveces|regular|mas\so\smenos|bastante)\b(?!.*\?)"),
)

QUESTION = 1.0
INTERPRETER = re.compile(r"\b(dice|dicen|me\sdice|dijo|esta\sdiciendo|quiere\sdecir)\sque\b")
INTERPRETER_SHARE = 0.25
"""Share of a speaker's turns that report somebody's words, from which they interpret."""

SHARPNESS = 2.2
"""How fast confidence grows with the difference of scores."""


def assign_roles(turns: Sequence[Turn]) -> Roles:
    """A role for every speaker label in ``turns``.

    A label that is a role already, a voice known by its sample, is believed. Of two speakers one is
    the employee and one the participant. Of more, those who mostly report what another says, and
    all beyond two, are ``otro``. One alone gets the role it sounds like.
    """
    said: dict[str, list[str]] = defaultdict(list)
    for turn in turns:
        said[turn.speaker].append(_folded(turn.text))
    known = {label: label for label in said if label in ROLES}
    missing = [role for role in (EMPLOYEE, PARTICIPANT) if role not in known]
    others = {label: texts for label, texts in said.items() if label not in known}
    if not others:
        return Roles(known, 1.0 if known else 0.5)
    roles = dict.fromkeys(others, OTHER) | known
    if not missing:
        return Roles(roles, 1.0)
    scores = {label: _score(texts) for label, texts in others.items()}
    if len(missing) == 1:
        return _fill_in(missing[0], others, scores, roles)
    if len(others) == 1:
        ((speaker, score),) = scores.items()
        roles[speaker] = EMPLOYEE if score > 0 else PARTICIPANT
        return Roles(roles, _confidence(abs(score), 2 * len(turns)))
    ranked = sorted(_main_speakers(others, wanted=2), key=lambda speaker: -scores[speaker])
    employee, participant = ranked[0], ranked[-1]
    roles |= {employee: EMPLOYEE, participant: PARTICIPANT}
    return Roles(roles, _confidence(scores[employee] - scores[participant], len(turns)))


def _fill_in(
    role: str,
    others: Mapping[str, Sequence[str]],
    scores: Mapping[str, float],
    roles: Mapping[str, str],
) -> Roles:
    """``role`` for the one of the ``others`` who sounds most like it, the rest as in ``roles``."""
    towards = 1 if role == EMPLOYEE else -1
    ranked = sorted(_main_speakers(others, wanted=1), key=lambda label: -towards * scores[label])
    if len(ranked) == 1:
        return Roles({**roles, ranked[0]: role}, 1.0)
    ahead = abs(scores[ranked[0]] - scores[ranked[1]])
    turns = sum(len(texts) for texts in others.values())
    return Roles({**roles, ranked[0]: role}, _confidence(ahead, turns))


def _main_speakers(said: Mapping[str, Sequence[str]], *, wanted: int) -> list[str]:
    """At least ``wanted`` speakers who can be employee or participant: where there are more, not
    interpreters, nor those who hardly speak."""
    if len(said) <= wanted:
        return list(said)
    words = {speaker: sum(len(text.split()) for text in texts) for speaker, texts in said.items()}
    own = [
        speaker
        for speaker, texts in said.items()
        if sum(bool(INTERPRETER.search(text)) for text in texts) < INTERPRETER_SHARE * len(texts)
    ]
    candidates = own if len(own) >= wanted else list(said)
    enough = [speaker for speaker in candidates if words[speaker] >= 0.1 * sum(words.values())]
    return enough if len(enough) >= wanted else candidates


def _score(texts: Iterable[str]) -> float:
    """Mean over the turns, steadied for those who say little; above 0 sounds like an employee."""
    values = [_turn_score(text) for text in texts]
    return sum(values) / (len(values) + 0.5)


def _turn_score(text: str) -> float:
    score = sum(sign.weight for sign in SIGNS if sign.pattern.search(text))
    if "?" in text or "¿" in text:
        score += QUESTION
    # One turn full of signs must not outweigh the rest of the conversation.
    return max(-3.5, min(3.5, score))


def _confidence(difference: float, turns: int) -> float:
    """From 0.5 to 1; few turns are never sure."""
    evidence = difference * min(1.0, turns / 6)
    return 1 / (1 + math.exp(-SHARPNESS * evidence / 2))


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower())
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))
