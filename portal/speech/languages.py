"""In which language a few words are, as far as their commonest words tell it. No model."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter

# Small words that make up a good part of any talk; as the recogniser writes them, without accents.
COMMON = {
    code: frozenset(words.split())
    for code, words in {
        "es": "a al como con de del donde el ella en es esta estoy gracias ha hay he la las lo "
        "los mas me mi muy no nos o para pero por porque que se si su tengo tiene un una "
        "usted y ya yo",
        "en": "a and are at but can do for from have he here his how i in is it my not of on "
        "she so thank that the there they this to was we what where with yes you your",
        "fr": "a au avec c ce dans de des du elle est et il ils j je l la le les ma mais merci "
        "moi mon n ne nous on ont ou oui pas pour que qui s suis sont sur tres tu un une "
        "vous",
        "pt": "a ao as com da de do e ela ele em esta estou eu foi mas meu minha muito na nao "
        "no nos o obrigada obrigado os para por porque que sao se sem sim so tambem tem "
        "tenho um uma voce",
        "ca": "a aixo al amb aquesta aquest com de del el els em es estic gracies ha hi i ja jo "
        "la les meu meva mes molt no o pel per pero perque que soc son tinc un una va "
        "vaig",
        "it": "a anche che ci con di e ed gli grazie ha ho i il in io la le lo ma mi mia mio "
        "molto nel non per perche piu questa questo sei si sono su tu un una",
        "ro": "a acum am aici ca ce cu da dar de din e este eu fi ii in la ma mai mi multumesc "
        "nu o pe pentru sa se si sunt un unde va",
        "de": "aber auch auf das dass der die ein eine er es habe hat hier ich in ist ja mein "
        "meine mit nein nicht noch sie sind und von war was wir wo zu",
    }.items()
}

LEAST_HITS = 3
LEAST_SHARE = 0.3
"""How many words of a text, and what part of it, must be common words for its language to be told
at all; people mix single words and names of all languages."""

_LETTERS = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str | None:
    """ISO 639-1 code, where it is one of ``COMMON`` and clearly so."""
    words = [_folded(word) for word in _LETTERS.findall(text)]
    hits = Counter({code: sum(word in common for word in words) for code, common in COMMON.items()})
    (best, most), (_second, next_most) = hits.most_common(2)
    if most < LEAST_HITS or most < LEAST_SHARE * len(words) or most - next_most < LEAST_HITS - 1:
        return None
    return best


def script_of(text: str) -> str | None:
    """ "LATIN", "ARABIC", "CYRILLIC" ...: that of most letters; None without letters."""
    letters = "".join(_LETTERS.findall(text))
    scripts = Counter(unicodedata.name(letter, " ").split()[0] for letter in letters)
    return scripts.most_common(1)[0][0] if scripts else None


def _folded(word: str) -> str:
    decomposed = unicodedata.normalize("NFKD", word.lower())
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))
