"""The plumbing of a language model on this machine, with the smallest one there can be: its weights
are noise, so that nothing it says is true, and grounding lets nothing of it through."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gguf
import huggingface_hub
import numpy as np
import pytest
from click.testing import CliRunner

from portal.analysis.engines.llm_local import LocalLlmEngine
from portal.analysis.llm import local_models
from portal.analysis.llm.prompts import VERSION
from portal.engine import EngineError, metered
from portal.operations import language_model
from portal.operations.commands import language_model as command
from portal.speech.command import models
from tests.contracts.analysis import QUESTIONS, TALK, check_evidence


def write_model(path: Path) -> None:
    """A llama of one layer that knows single bytes, 140 kB."""
    noise, width = np.random.default_rng(1), 32
    tokens = [b"<unk>", b"<s>", b"</s>", *(f"<0x{n:02X}>".encode() for n in range(256))]
    tokens += [bytes([n]) for n in range(33, 127)]
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(local_models.CONTEXT_TOKENS)
    writer.add_embedding_length(width)
    writer.add_block_count(1)
    writer.add_feed_forward_length(2 * width)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(width // 2)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types([2, 3, 3, *[6] * 256, *[1] * 94])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)

    def put(name: str, *shape: int) -> None:
        values = noise.standard_normal(shape) * 0.05
        writer.add_tensor(f"{name}.weight", values.astype(np.float32))

    put("token_embd", len(tokens), width)
    put("output_norm", width)
    put("output", len(tokens), width)
    for name in ("attn_norm", "ffn_norm"):
        put(f"blk.0.{name}", width)
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        put(f"blk.0.{name}", width, width)
    put("blk.0.ffn_gate", 2 * width, width)
    put("blk.0.ffn_up", 2 * width, width)
    put("blk.0.ffn_down", width, 2 * width)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "llm").mkdir()
    write_model(folder / "llm" / "ruido.gguf")
    return folder


@pytest.fixture(scope="module")
def engine(models_dir: Path) -> Iterator[LocalLlmEngine]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = language_model.serve(models_dir, port=port, threads=1)
    engine = LocalLlmEngine(models_dir, port)
    engine._client._tuning["max_tokens"] = 120  # noise does not come to an end by itself
    yield engine
    del server


def test_a_model_is_served_and_held_to_the_schema(engine: LocalLlmEngine) -> None:
    assert engine.check() == [] and engine.model == f"ruido · prompts {VERSION}"
    with metered() as used, suppress(EngineError):
        engine.describe(TALK)
    assert used and all(usage.engine == "llm-local" for usage in used)
    assert used[0].tokens_in > 500 and used[0].tokens_out > 0


def test_noise_proves_nothing(engine: LocalLlmEngine) -> None:
    try:
        findings = engine.assess_live(TALK, QUESTIONS)
    except EngineError:
        return
    for finding in findings:
        check_evidence(TALK, finding.evidence)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    [problem] = LocalLlmEngine(tmp_path).check()
    assert "portal models pull" in problem.hint and str(tmp_path) in problem.hint
    with pytest.raises(language_model.CannotServe, match="ningún modelo"):
        language_model.serve(tmp_path, port=1, threads=1)
    answer = CliRunner().invoke(command, env={"PORTAL_DATA": str(tmp_path)})
    assert answer.exit_code == 1 and "ningún modelo" in answer.output


def test_memory_is_looked_at_before_loading(
    models_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 100 kB\nMemAvailable: 60 kB\n")
    file = local_models.installed(models_dir)
    assert file is not None and local_models.too_large(file) is None
    problem = local_models.too_large(file, meminfo=meminfo)
    assert problem is not None and "memoria" in problem.message
    monkeypatch.setattr(local_models, "too_large", lambda _file: problem)
    with pytest.raises(language_model.CannotServe, match="memoria"):
        language_model.serve(models_dir, port=1, threads=1)


def test_the_recommended_come_first_and_any_other_will_do(tmp_path: Path) -> None:
    (tmp_path / "llm").mkdir()
    known = local_models.LANGUAGE_MODELS[-1].file
    for name, size in (("a.gguf", 10), ("b.gguf", 20), (known, 1)):
        (tmp_path / "llm" / name).write_bytes(b"x" * size)
    assert getattr(local_models.installed(tmp_path), "name", "") == known
    (tmp_path / "llm" / known).unlink()
    assert getattr(local_models.installed(tmp_path), "name", "") == "b.gguf"


def test_models_are_listed_with_size_and_licence(models_dir: Path) -> None:
    answer = CliRunner().invoke(models, ["list", "--models-dir", str(models_dir)])
    assert answer.exit_code == 0
    assert "qwen3-4b" in answer.output and "Apache-2.0" in answer.output
    assert "* ruido.gguf" in answer.output
    assert "sin suma conocida" in answer.output


@pytest.mark.parametrize("known", ["the repository", "us"])
def test_what_is_pulled_is_held_against_its_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    told = hashlib.sha256(b"model").hexdigest()
    if known == "us":
        model = replace(local_models.LANGUAGE_MODELS[-1], sha256=told)
        monkeypatch.setattr(local_models, "LANGUAGE_MODELS", (model,))
        listed = CliRunner().invoke(models, ["list", "--models-dir", str(tmp_path)])
        assert f"sha256 {told}" in listed.output
        told = "what the repository says does not matter"
    came = b"model"

    def download(_repository: str, file: str, *, local_dir: Path) -> str:
        local_dir.mkdir(exist_ok=True)
        (local_dir / file).write_bytes(came)
        return str(local_dir / file)

    metadata = SimpleNamespace(etag=told)
    monkeypatch.setattr(huggingface_hub, "get_hf_file_metadata", lambda _url: metadata)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", download)
    name = local_models.LANGUAGE_MODELS[-1].name
    assert local_models.pull(name, models_dir=tmp_path).read_bytes() == came
    came = b"another"
    with pytest.raises(local_models.CannotPull, match="suma"):
        local_models.pull(name, models_dir=tmp_path)
    assert local_models.installed(tmp_path) is None
