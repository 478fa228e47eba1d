"""Weights get names; names are found by local models, and nothing is overwritten."""

import hashlib

import pytest

from services.core.errors import BackendError
from services.models import shelf
from services.models.catalog import KNOWN, PUBLISHED
from services.models.local import engine_plan
from services.models.shelf import Shelved
from tests.unit.models.rosters import loaded


@pytest.fixture(autouse=True)
def data(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "x.gguf"
    path.write_bytes(b"GGUF and weights")
    return path


def entry(file, **more):
    return Shelved(path=file, sha256=hashlib.sha256(file.read_bytes()).hexdigest(), **more)


def local(model):
    return loaded({"m": {"backend": "local", "model": model}}).config.models["m"]


def test_a_local_model_finds_weights_by_their_name(file, tmp_path):
    shelf.put("own", entry(file))

    assert file == engine_plan(local("own"), tmp_path).weights


def test_weights_that_changed_since_are_refused(file, tmp_path):
    shelf.put("own", entry(file))
    file.write_bytes(b"GGUF and other weights")

    with pytest.raises(BackendError, match="is expected"):
        engine_plan(local("own"), tmp_path)


def test_a_name_is_given_once(file):
    shelf.put("own", entry(file, family="qwen"))

    with pytest.raises(BackendError, match="own is on the shelf already"):
        shelf.put("own", entry(file, family="llama"))
    assert "qwen" == shelf.find("own").family


@pytest.mark.parametrize("name", ["x.gguf", "../own", "Own", "", "a/b"])
def test_a_name_is_not_a_path(file, name):
    with pytest.raises(BackendError, match="is no name"):
        shelf.put(name, entry(file))
    assert shelf.find(name) is None


def test_a_file_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "x.bin"
    path.write_bytes(b"PK\x03\x04")

    with pytest.raises(BackendError, match="no GGUF"):
        shelf.put("own", entry(path))
    assert {} == shelf.shelved()


def test_weights_that_are_gone_are_named(file, tmp_path):
    shelf.put("own", entry(file))
    file.unlink()

    with pytest.raises(BackendError, match=r"no weights at .*x\.gguf"):
        engine_plan(local("own"), tmp_path)


def test_weights_that_can_be_fetched_say_how(tmp_path):
    with pytest.raises(BackendError, match=r"gremium models pull qwen2\.5-0\.5b"):
        engine_plan(local("qwen2.5-0.5b"), tmp_path)


def test_a_note_that_cannot_be_read_is_no_entry(file):
    shelf.put("own", entry(file))
    (shelf.shelf_folder() / "own.json").write_text("{")

    assert (None, {}) == (shelf.find("own"), shelf.shelved())


@pytest.mark.parametrize("name", [*KNOWN, *PUBLISHED])
def test_a_known_name_means_the_known_weights_alone(file, name):
    with pytest.raises(BackendError, match=f"{name} is the name of"):
        shelf.put(name, entry(file))
    assert {} == shelf.shelved()


def test_a_note_does_not_make_other_weights_published_ones(file, tmp_path):
    shelf.put("own", entry(file))
    (shelf.shelf_folder() / "own.json").rename(shelf.shelf_folder() / "qwen2.5-0.5b.json")

    with pytest.raises(BackendError, match=PUBLISHED["qwen2.5-0.5b"].sha256):
        engine_plan(local("qwen2.5-0.5b"), tmp_path)
