"""What is read to a person before a conversation is recorded, in their language.

The words are copied into each `Consent`, so that changing them here changes nothing that
was already agreed. A translation says the same as the Spanish text, sentence by sentence.
"""

from __future__ import annotations

DEFAULT_LANGUAGE = "es"

LANGUAGE_NAMES = {"es": "Español", "en": "English", "fr": "Français"}

_WORDINGS = {
    "es": (
        "Nos gustaría grabar esta conversación para no tener que rellenar un formulario mientras "
        "hablamos y poder escucharle con atención.\n\n"
        "La grabación y lo que se escriba a partir de ella los guarda {organisation}, y solo los "
        "verá el equipo que le atiende. Sirven para conocer su situación y orientarle mejor; no "
        "se usarán para nada más.\n\n"
        "Un programa de inteligencia artificial, que funciona en nuestros propios equipos, pasa "
        "la conversación a texto y propone las respuestas de su ficha. Una persona las revisa "
        "siempre: el programa no decide nada sobre usted.{outside}\n\n"
        "Puede decir que no, o pedir que paremos en cualquier momento. Le atenderemos igual: no "
        "tendrá ninguna consecuencia.\n\n"
        "Más adelante también puede cambiar de idea, pedirnos que lo borremos, ver lo que tenemos "
        "sobre usted, corregirlo o llevarse una copia. Basta con decírnoslo. Si cree que no "
        "respetamos sus datos, puede reclamar ante la Agencia Española de Protección de Datos."
    ),
    "en": (
        "We would like to record this conversation, so that we do not have to fill in a form "
        "while we talk and can listen to you properly.\n\n"
        "The recording, and what is written from it, are kept by {organisation}, and only the "
        "team helping you will see them. They are used to understand your situation and guide you "
        "better, and for nothing else.\n\n"
        "An artificial intelligence program, which runs on our own computers, turns the "
        "conversation into text and suggests the answers on your form. A person always checks "
        "them: the program decides nothing about you.{outside}\n\n"
        "You can say no, or ask us to stop at any moment. We will help you just the same: it will "
        "have no consequences.\n\n"
        "Later on you can also change your mind, ask us to delete it, see what we hold about you, "
        "correct it or take a copy away. You only need to tell us. If you think we are not "
        "respecting your data, you can complain to the Spanish Data Protection Agency (AEPD)."
    ),
    "fr": (
        "Nous aimerions enregistrer cette conversation, pour ne pas avoir à remplir un formulaire "
        "pendant que nous parlons et pouvoir bien vous écouter.\n\n"
        "L'enregistrement et ce qui en sera écrit sont conservés par {organisation}, et seule "
        "l'équipe qui vous accompagne les verra. Ils servent à connaître votre situation et à "
        "mieux vous orienter, et à rien d'autre.\n\n"
        "Un programme d'intelligence artificielle, qui fonctionne sur nos propres ordinateurs, "
        "transforme la conversation en texte et propose les réponses de votre fiche. Une personne "
        "les vérifie toujours : le programme ne décide rien à votre sujet.{outside}\n\n"
        "Vous pouvez dire non, ou demander d'arrêter à tout moment. Nous vous aiderons de la même "
        "façon : cela n'aura aucune conséquence.\n\n"
        "Plus tard, vous pouvez aussi changer d'avis, nous demander de tout effacer, voir ce que "
        "nous avons sur vous, le corriger ou en emporter une copie. Il suffit de nous le dire. Si "
        "vous pensez que nous ne respectons pas vos données, vous pouvez vous adresser à l'Agence "
        "espagnole de protection des données (AEPD)."
    ),
}

_NOTHING_OUTSIDE = {
    "es": " Si en algún caso hiciera falta un servicio externo, se le preguntará aparte.",
    "en": " If an outside service were ever needed, we would ask you separately.",
    "fr": " Si un service extérieur était un jour nécessaire, nous vous le demanderions à part.",
}

_OUTSIDE = {
    "es": (
        "\n\nSi usted lo acepta, también podemos usar un servicio externo: otra empresa que, por "
        "encargo nuestro, recibe la grabación o el texto para pasarla a texto o proponer las "
        "respuestas, y para nada más. Puede decir que no a esto y que sí a lo demás."
    ),
    "en": (
        "\n\nIf you agree, we can also use an outside service: another company that, on our "
        "behalf, receives the recording or the text to turn it into text or to suggest the "
        "answers, and for nothing else. You can say no to this and yes to the rest."
    ),
    "fr": (
        "\n\nSi vous l'acceptez, nous pouvons aussi utiliser un service extérieur : une autre "
        "entreprise qui, pour notre compte, reçoit l'enregistrement ou le texte afin de le "
        "transcrire ou de proposer les réponses, et pour rien d'autre. Vous pouvez dire non à "
        "cela et oui au reste."
    ),
}


def languages() -> list[tuple[str, str]]:
    """(code, name in that language) of every wording, the default first."""
    return [(code, LANGUAGE_NAMES[code]) for code in _WORDINGS]


def wording(language: str, *, organisation: str, external: bool = False) -> str:
    """The text to read out; ``external``: with what is asked where services of others may be used.
    Raises KeyError for a language without one."""
    outside = (_OUTSIDE if external else _NOTHING_OUTSIDE)[language]
    return _WORDINGS[language].format(organisation=organisation, outside=outside)
