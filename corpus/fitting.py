"""Newton's method for multinomial logistic regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from portal.analysis.logistic import Logistic

_STEPS, _STILL = 30, 1e-6


def fit(
    rows: NDArray[np.floating],
    labels: NDArray[np.integer],
    *,
    features: Sequence[str],
    classes: Sequence[str],
    penalty: float,
    importance: NDArray[np.floating] | None = None,
) -> Logistic:
    """``labels[i]`` is the class of row i; ``penalty`` holds weights (not constants) near zero,
    features being measured in their own standard deviations."""
    count, kinds = len(rows), len(classes)
    spread = np.maximum(rows.std(axis=0), 1e-6)
    known = np.hstack([rows / spread, np.ones((count, 1))])
    width = known.shape[1]
    weight = np.ones(count) if importance is None else importance
    hold = np.full(width, float(penalty))
    hold[-1] = 1e-6
    wanted = np.eye(kinds)[labels]
    theta = np.zeros((width, kinds))
    for _ in range(_STEPS):
        scores = known @ theta
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares = scores / scores.sum(axis=1, keepdims=True)
        slope = known.T @ ((shares - wanted) * weight[:, None]) + hold[:, None] * theta
        curve = np.zeros((width * (kinds - 1), width * (kinds - 1)))
        for a in range(1, kinds):
            for b in range(1, kinds):
                part = weight * shares[:, a] * ((a == b) - shares[:, b])
                block = (known * part[:, None]).T @ known + (a == b) * np.diag(hold)
                curve[(a - 1) * width : a * width, (b - 1) * width : b * width] = block
        step = np.linalg.solve(curve, slope[:, 1:].T.ravel()).reshape(kinds - 1, width).T
        theta[:, 1:] -= step
        if np.abs(step).max() < _STILL:
            break
    theta[:-1] /= spread[:, None]
    return Logistic(tuple(features), tuple(classes), theta)
