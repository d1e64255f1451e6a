"""Newton's method for multinomial logistic regression, and for the choice of one among many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from portal.analysis.logistic import Logistic, Matrix

_STEPS, _STILL = 30, 1e-6
_LEAST_STEP, _LITTLE = 1e-3, 1e-4


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


def fit_choice(
    rows: NDArray[np.floating],
    right: NDArray[np.integer],
    groups: NDArray[np.integer],
    *,
    features: Sequence[str],
    classes: Sequence[str],
    penalty: float,
) -> Logistic:
    """Which row of each group is chosen: a softmax over the rows of a group, learned so that those
    that are ``right`` (one or more in every group) get its weight together. ``groups`` numbers
    the groups from 0, each one's rows side by side."""
    spread = np.maximum(rows.std(axis=0), 1e-6)
    known = rows / spread
    starts = np.flatnonzero(np.diff(groups, prepend=-1))
    weights = np.zeros(known.shape[1])

    def shares(theta: NDArray[np.floating]) -> tuple[float, Matrix, Matrix]:
        """What is to be made small, each row's share of its group, and of its right rows."""
        scores = known @ theta
        scores = np.exp(np.maximum(scores - np.maximum.reduceat(scores, starts)[groups], -30))
        all_rows, good = np.add.reduceat(scores, starts), np.add.reduceat(scores * right, starts)
        loss = np.log(all_rows / good).sum() + penalty / 2 * theta @ theta
        return float(loss), scores / all_rows[groups], scores * right / good[groups]

    loss, share, wanted = shares(weights)
    for _ in range(_STEPS):
        means = np.add.reduceat(known * share[:, None], starts, axis=0)
        curve = (known * share[:, None]).T @ known - means.T @ means
        slope = known.T @ (share - wanted) + penalty * weights
        step = np.linalg.solve(curve + penalty * np.eye(len(weights)), slope)
        size = 1.0
        while size > _LEAST_STEP and shares(weights - size * step)[0] >= loss:
            size /= 2
        if size <= _LEAST_STEP:
            break
        weights = weights - size * step
        before = loss
        loss, share, wanted = shares(weights)
        if before - loss < _LITTLE:
            break
    theta = np.zeros((len(weights) + 1, 2))
    theta[:-1, 1] = weights / spread
    return Logistic(tuple(features), tuple(classes), theta)
