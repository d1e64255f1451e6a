"""Words that were said in a struck stretch and nowhere else, wherever else they were written.

An answer or a title may hold what nobody can read in the transcript any more. Words are compared
folded (no accents, capitals or marks); those that carry no meaning give nothing away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from portal.analysis.text import FUNCTION_WORDS, words
from portal.corrections.striking import BLOCK

_Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Traces:
    """``single``: words; ``pairs``: two in a row that were said apart elsewhere, but not so."""

    single: frozenset[str]
    pairs: frozenset[_Pair]

    def in_(self, text: str) -> bool:
        single, pairs = _said([text])
        return not self.single.isdisjoint(single) or not self.pairs.isdisjoint(pairs)

    def hidden(self, text: str) -> str:
        """``text`` with a block in the place of each of them."""
        parsed = words(text)
        told = {n for n, word in enumerate(parsed.folded) if word in self.single}
        for n, pair in enumerate(pairwise(parsed.folded)):
            if pair in self.pairs:
                told |= {n, n + 1}
        hidden, cursor = "", 0
        for n in sorted(told):
            at, after = parsed.spans[n]
            hidden += text[cursor:at] + BLOCK
            cursor = after
        return hidden + text[cursor:]


def traces(struck: Iterable[str], remaining: Iterable[str]) -> Traces:
    """``struck``: the texts that were taken out; ``remaining``: those that can still be read."""
    single, pairs = _said(struck)
    still, still_pairs = _said(remaining)
    return Traces(frozenset(single - still), frozenset(pairs - still_pairs))


def _said(texts: Iterable[str]) -> tuple[set[str], set[_Pair]]:
    """Words that carry meaning, and pairs with at least one such."""
    single, pairs = set[str](), set[_Pair]()
    for text in texts:
        folded = words(text).folded
        single.update(word for word in folded if word not in FUNCTION_WORDS)
        pairs.update(pair for pair in pairwise(folded) if not FUNCTION_WORDS.issuperset(pair))
    return single, pairs
