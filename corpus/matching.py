"""How ``Matching`` is learned: each question chooses one of its passages, or that nobody says it.

The loss is that of a softmax over the passages of a question and one more choice, convex in all
weights, so that where it ends does not hang on where it began. The forms are held near zero in a
basis of the principal directions of questions and of what is told, which are all they can see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from portal.analysis.logistic import Logistic, Matrix
from portal.analysis.matching import NEAR, UNSAID, Heard, Matching
from portal.analysis.retrieval import PASSAGE

RANK, _SEEN_BY_DOUBT = 96, 48
_FORM_PENALTY, _NUMBER_PENALTY, _DOUBT_PENALTY = 10.0, 3.0, 30.0
_SOUND = [n for n, name in enumerate(PASSAGE) if "similar" in name or name == "nearness"]
_STEPS, _REMEMBERED, _HALVINGS, _STILL = 100, 10, 20, 1e-6


@dataclass(frozen=True)
class Case:
    """``right``: which of the passages hold the answer; none does when nobody says it."""

    heard: Heard
    right: NDArray[np.floating]
    said: bool

    def by_words(self) -> Case:
        """As it is where no encoder is installed."""
        rows = self.heard.rows.copy()
        rows[:, _SOUND] = 0.0
        unheard = replace(
            self.heard,
            rows=rows,
            question=np.zeros_like(self.heard.question),
            told=np.zeros_like(self.heard.told),
        )
        return replace(self, heard=unheard)


def mean_told(cases: Sequence[Case]) -> NDArray[np.float32]:
    mean: NDArray[np.float32] = np.concatenate([case.heard.told for case in cases]).mean(axis=0)
    return mean


def _basis(rows: NDArray[np.floating]) -> Matrix:
    """The first directions of ``rows``, each divided by the root of its spread."""
    centred = (rows - rows.mean(axis=0)).astype(np.float64)
    spread, directions = np.linalg.eigh(centred.T @ centred / len(rows))
    first = np.argsort(-spread)[:RANK]
    basis: Matrix = directions[:, first] / np.maximum(spread[first], 1e-9) ** 0.25
    return basis


def learn(cases: Sequence[Case], mean: NDArray[np.float32]) -> tuple[Matching, dict[str, Logistic]]:
    """The forms, and the judges ``holds`` and ``unsaid`` of the numbers beside them.

    A question that is answered by no passage it can choose teaches nothing.
    """
    cases = [case for case in cases if case.right.any() or not case.said]
    nothing = np.zeros((len(mean), RANK), dtype=np.float32)
    blank = Matching(mean, nothing, nothing, nothing[:, 0])
    told = np.concatenate([blank.centred(case.heard.told) for case in cases])
    asked = np.stack([case.heard.question for case in cases])
    to_asked, to_told = _basis(asked), _basis(told)
    rows = np.concatenate([np.hstack([c.heard.rows, blank.near(c.heard)]) for c in cases])
    doubt = np.stack([case.heard.unsaid for case in cases])
    row_spread = np.maximum(rows.std(axis=0, dtype=np.float64), 1e-6)
    doubt_spread = np.maximum(doubt.std(axis=0, dtype=np.float64), 1e-6)
    weights = _minimum(
        _loss(
            asked @ to_asked,
            told @ to_told,
            rows / row_spread,
            np.hstack([doubt / doubt_spread, np.ones((len(doubt), 1))]),
            [len(case.right) for case in cases],
            np.concatenate([case.right for case in cases]),
        ),
        RANK**2 + rows.shape[1] + doubt.shape[1] + 1 + _SEEN_BY_DOUBT,
    )
    form, of_rows, of_doubt, seen = _parts(weights, rows.shape[1], doubt.shape[1] + 1)
    of_doubt[:-1] /= doubt_spread
    return (
        Matching(
            mean,
            (to_asked @ form).astype(np.float32),
            to_told.astype(np.float32),
            (to_asked[:, :_SEEN_BY_DOUBT] @ seen).astype(np.float32),
        ),
        {
            "holds": _judge((*PASSAGE, *NEAR), "holds", np.append(of_rows / row_spread, 0.0)),
            "unsaid": _judge(UNSAID, "unsaid", of_doubt),
        },
    )


def _judge(features: Sequence[str], says: str, weights: Matrix) -> Logistic:
    both = np.stack([np.zeros(len(weights)), weights], axis=1)
    return Logistic(tuple(features), ("other", says), both)


def _parts(weights: Matrix, rows: int, doubts: int) -> tuple[Matrix, Matrix, Matrix, Matrix]:
    form, of_rows, of_doubt, seen = np.split(weights, np.cumsum([RANK**2, rows, doubts]))
    return form.reshape(RANK, RANK), of_rows, of_doubt, seen


def _loss(
    asked: Matrix,
    told: Matrix,
    rows: Matrix,
    doubt: Matrix,
    sizes: Sequence[int],
    right: NDArray[np.floating],
) -> Callable[[Matrix], tuple[float, Matrix]]:
    """What is to be made small, and its slope, as a function of all weights in one row."""
    groups = np.repeat(np.arange(len(sizes)), sizes)
    starts = np.cumsum([0, *sizes[:-1]])
    said = np.add.reduceat(right, starts) > 0
    seen_by_doubt = asked[:, :_SEEN_BY_DOUBT]

    def loss(weights: Matrix) -> tuple[float, Matrix]:
        form, of_rows, of_doubt, seen = _parts(weights, rows.shape[1], doubt.shape[1])
        odds = ((asked @ form)[groups] * told).sum(axis=1) + rows @ of_rows
        unsaid = doubt @ of_doubt + seen_by_doubt @ seen
        most = np.maximum(np.maximum.reduceat(odds, starts), unsaid)
        odds = np.exp(np.maximum(odds - most[groups], -40.0))
        unsaid = np.exp(np.maximum(unsaid - most, -40.0))
        every = np.add.reduceat(odds, starts) + unsaid
        good = np.where(said, np.add.reduceat(odds * right, starts), unsaid)
        held = np.append(of_doubt[:-1], 0.0)
        value = np.log(every / good).sum() + 0.5 * (
            _FORM_PENALTY * (form**2).sum()
            + _NUMBER_PENALTY * ((of_rows**2).sum() + (held**2).sum())
            + _DOUBT_PENALTY * (seen**2).sum()
        )
        pull = odds / every[groups] - np.where(said[groups], odds * right / good[groups], 0.0)
        doubts = unsaid / every - np.where(said, 0.0, 1.0)
        over_told = np.add.reduceat(told * pull[:, None], starts, axis=0)
        slope = [
            (asked.T @ over_told + _FORM_PENALTY * form).ravel(),
            rows.T @ pull + _NUMBER_PENALTY * of_rows,
            doubt.T @ doubts + _NUMBER_PENALTY * held,
            seen_by_doubt.T @ doubts + _DOUBT_PENALTY * seen,
        ]
        return float(value), np.concatenate(slope)

    return loss


def _minimum(loss: Callable[[Matrix], tuple[float, Matrix]], size: int) -> Matrix:
    """Where a convex function is least: L-BFGS, halving a step until it helps."""
    place = np.zeros(size)
    value, slope = loss(place)
    moves: list[tuple[Matrix, Matrix]] = []
    for _ in range(_STEPS):
        step = _towards(slope, moves)
        share = 1.0 if moves else 1.0 / max(float(np.linalg.norm(slope)), 1.0)
        for _ in range(_HALVINGS):
            there, steeper = loss(place + share * step)
            if there <= value + 1e-4 * share * float(slope @ step):
                break
            share /= 2
        else:
            break
        moved, bent = share * step, steeper - slope
        if moved @ bent > 0:
            moves = [*moves[1 - _REMEMBERED :], (moved, bent)]
        place, slope = place + moved, steeper
        if value - there < _STILL * abs(there):
            break
        value = there
    return place


def _towards(slope: Matrix, moves: Sequence[tuple[Matrix, Matrix]]) -> Matrix:
    """Downhill, as far as the last moves tell how the slope bends."""
    step = -slope
    shares = []
    for moved, bent in reversed(moves):
        share = (moved @ step) / (moved @ bent)
        step = step - share * bent
        shares.append(share)
    if moves:
        moved, bent = moves[-1]
        step = step * ((moved @ bent) / (bent @ bent))
    for (moved, bent), share in zip(moves, reversed(shares), strict=True):
        step = step + moved * (share - (bent @ step) / (moved @ bent))
    return step
