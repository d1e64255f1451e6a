"""Multinomial logistic regression: what the listener decides with; ``data/listener.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import cast

import numpy as np
from numpy.typing import NDArray

from portal.analysis.language import read_data

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Logistic:
    """``weights[i, k]``: what feature i says for class k; class 0 is the one all others are told
    from. The last row is the constant."""

    features: tuple[str, ...]
    classes: tuple[str, ...]
    weights: Matrix

    def probabilities(self, rows: NDArray[np.floating]) -> Matrix:
        """Of shape (n, classes) for rows of shape (n, features)."""
        scores = rows @ self.weights[:-1] + self.weights[-1]
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares: Matrix = scores / scores.sum(axis=1, keepdims=True)
        return shares

    def odds(self, rows: NDArray[np.floating]) -> Matrix:
        """Of shape (n,): the logarithm of how much likelier the second class is than the first."""
        told: Matrix = self.weights[:, 1] - self.weights[:, 0]
        odds: Matrix = rows @ told[:-1] + told[-1]
        return odds

    def choice(self, rows: NDArray[np.floating]) -> Matrix:
        """Of shape (n,): how likely each of n rows is the one to choose among them."""
        scores = self.odds(rows)
        scores = np.exp(scores - scores.max())
        shares: Matrix = scores / scores.sum()
        return shares

    def as_data(self) -> dict[str, object]:
        names = (*self.features, "constant")
        return {
            "classes": list(self.classes),
            "weights": {
                name: [round(float(w), 4) for w in row]
                for name, row in zip(names, self.weights, strict=True)
            },
        }

    @classmethod
    def from_data(cls, data: Mapping[str, object]) -> Logistic:
        classes, weights = data["classes"], data["weights"]
        if not isinstance(classes, list) or not isinstance(weights, dict):
            raise TypeError("a logistic needs classes and weights")
        matrix = np.array(list(weights.values()), dtype=np.float64)
        return cls(tuple(weights)[:-1], tuple(classes), matrix)


@cache
def listener() -> Mapping[str, Logistic]:
    """What was learned of listening: ``asks``, ``replies``, ``states``."""
    data = cast("dict[str, dict[str, object]]", read_data("listener.json"))
    return {name: Logistic.from_data(part) for name, part in data.items()}
