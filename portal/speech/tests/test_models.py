from __future__ import annotations

import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from portal.speech import models, prepare
from portal.speech.build_speaker_model import UnexpectedWeights, find_weights, read_weights
from portal.speech.models import ModelUnavailable, resolve_whisper


def fake_model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for part in models.PARTS:
        (folder / part).write_bytes(b"x")
    return folder


@pytest.fixture
def no_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "PACKAGES", ("no_such_package_a", "no_such_package_b"))


def test_a_configured_folder_comes_first(tmp_path: Path) -> None:
    fake_model(tmp_path / "whisper" / "small")
    own = fake_model(tmp_path / "own")
    assert resolve_whisper(str(own), models_dir=tmp_path) == own


def test_a_configured_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        resolve_whisper(str(tmp_path), models_dir=tmp_path)
    assert str(tmp_path) in caught.value.problem.message
    assert models.whisper_problem(str(tmp_path), models_dir=tmp_path) == caught.value.problem


def test_the_best_pulled_model_comes_before_the_packaged_one(tmp_path: Path) -> None:
    fake_model(tmp_path / "whisper" / "small")
    best = fake_model(tmp_path / "whisper" / "large-v3-turbo")
    assert resolve_whisper(models_dir=tmp_path) == best
    marked = [state.model.name for state in models.describe(models_dir=tmp_path) if state.in_use]
    assert marked == ["large-v3-turbo"]


def test_a_model_by_name(tmp_path: Path) -> None:
    fake_model(tmp_path / "whisper" / "large-v3-turbo")
    small = fake_model(tmp_path / "whisper" / "small")
    assert resolve_whisper("small", models_dir=tmp_path) == small


@pytest.mark.model
def test_the_packaged_model_is_joined_once(tmp_path: Path) -> None:
    folder = resolve_whisper(models_dir=tmp_path)
    assert (folder / "model.bin").stat().st_size == models.PACKAGED_BYTES
    assert models.is_whisper(folder)
    before = (folder / "model.bin").stat().st_mtime_ns
    assert resolve_whisper(models_dir=tmp_path) == folder
    assert (folder / "model.bin").stat().st_mtime_ns == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@pytest.mark.model
def test_half_a_model_is_joined_again(tmp_path: Path) -> None:
    broken = fake_model(tmp_path / "whisper" / "base-packaged")
    assert resolve_whisper(models_dir=tmp_path) == broken
    assert (broken / "model.bin").stat().st_size == models.PACKAGED_BYTES


@pytest.mark.model
def test_a_package_that_was_tampered_with_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = []
    for number in (1, 2):
        part = tmp_path / f"model.bin.part{number}"
        part.write_bytes(b"not the weights")
        parts.append(part)
    monkeypatch.setattr(models, "packaged_parts", lambda: tuple(parts))
    with pytest.raises(ModelUnavailable, match="dañado"):
        resolve_whisper(models_dir=tmp_path / "models")
    assert not list((tmp_path / "models" / "whisper").iterdir())


@pytest.mark.usefixtures("no_packages")
def test_no_model_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable) as caught:
        resolve_whisper(models_dir=tmp_path)
    assert "make setup" in caught.value.problem.hint
    assert models.whisper_problem(models_dir=tmp_path) == caught.value.problem
    assert not any(state.in_use for state in models.describe(models_dir=tmp_path))


def test_a_name_nobody_knows(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="large-v3-turbo"):
        resolve_whisper("enorme", models_dir=tmp_path)
    problem = models.whisper_problem("enorme", models_dir=tmp_path)
    assert problem is not None


def test_a_download_that_fails_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def unreachable(*_: object, **__: object) -> str:
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(ModelUnavailable, match="internet"):
        models.pull("small", models_dir=tmp_path)
    assert not models.is_whisper(tmp_path / "whisper" / "small")


def test_a_download_appears_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    def download(_repository: str, *, local_dir: Path, **_: object) -> str:
        for part in models.PARTS:
            (local_dir / part).write_bytes(b"x")
        return str(local_dir)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    folder = models.pull("small", models_dir=tmp_path)
    assert models.is_whisper(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["small"]


@pytest.mark.model
def test_preparing_again_does_nothing(
    models_dir: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # With everything there it must not even try the network.
    monkeypatch.setattr(prepare, "WEIGHTS_REQUIREMENT", tmp_path / "missing.txt")
    assert prepare.prepare(models_dir, lambda _: None) == []


@pytest.mark.model
def test_weights_that_cannot_be_had_are_a_problem_not_a_failure(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(prepare, "WEIGHTS_REQUIREMENT", tmp_path / "missing.txt")
    (problem,) = prepare.prepare(tmp_path / "models", lambda _: None)
    assert "método más sencillo" in problem.hint
    assert models.speaker_model(tmp_path / "models") is None
    assert models.whisper_problem(models_dir=tmp_path / "models") is None


class Boom:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (print, ("code from the file was run",))


def test_a_checkpoint_cannot_run_code(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "campplus_cn_en_common.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"weight": Boom()}))
    with pytest.raises(UnexpectedWeights, match="refused"):
        read_weights(path)
    assert capsys.readouterr().out == ""


def test_another_file_of_the_same_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "campplus_cn_en_common.pt").write_bytes(b"other weights")
    with pytest.raises(UnexpectedWeights, match="not the file"):
        find_weights(tmp_path)


def test_asking_for_models_imports_no_runtime() -> None:
    code = (
        "import sys, pathlib; from portal.speech import models;"
        "models.whisper_problem(models_dir=pathlib.Path('/nowhere'));"
        "heavy = {'faster_whisper', 'ctranslate2', 'onnxruntime', 'av', 'numpy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
