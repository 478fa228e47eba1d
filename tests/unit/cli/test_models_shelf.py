"""`gremium models` shows the roster; its subcommands bring weights."""

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from services.cli import __main__ as command
from services.cli import models_shelf
from services.models import shelf
from services.models.catalog import KNOWN, PUBLISHED, PublishedWeights

CONTENT = b"GGUF and weights"
SMALL = PublishedWeights(
    repository="maker/small",
    revision="abc",
    file="small.gguf",
    size_bytes=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    family="small",
    license="MIT",
)
CONFIG = """\
version: 1
models:
  own: {backend: local, model: own, family: test, timeout_s: 5}
ensembles:
  default: {pattern: jury, jurors: [{model: own}]}
"""


class Hub(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(CONTENT)

    def log_message(self, *about):
        pass


@pytest.fixture
def hub(monkeypatch):
    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        server.asked = []
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join(5)


@pytest.fixture(autouse=True)
def folders(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gremium.yaml").write_text(CONFIG)


@pytest.fixture
def small(monkeypatch):
    """One more model that can be fetched: the known ones take minutes."""
    monkeypatch.setitem(PUBLISHED, "small", SMALL)
    choice = models_shelf.pull.params[0].type
    monkeypatch.setattr(choice, "choices", [*choice.choices, "small"])


@pytest.fixture
def run(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["gremium", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command.main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return run


def test_the_roster_is_shown_as_before(run):
    code, out, _ = run("models", "--json")

    assert (0, ["own"]) == (code, [model["name"] for model in json.loads(out)["models"]])


def test_weights_are_fetched_once_from_the_pinned_address(hub, small, run):
    assert 0 == run("models", "pull", "small")[0]
    code, out, _ = run("models", "pull", "small")

    assert (0, ["/maker/small/resolve/abc/small.gguf"]) == (code, hub.asked)
    assert CONTENT == shelf.find("small").path.read_bytes()
    assert "small is there" in out


def test_a_fetch_whose_name_was_not_kept_needs_no_network(hub, small, run):
    run("models", "pull", "small")
    (shelf.shelf_folder() / "small.json").unlink()

    assert 0 == run("models", "pull", "small")[0]
    assert 1 == len(hub.asked)


def test_only_known_names_can_be_fetched(run):
    code, _, err = run("models", "pull", "gpt-6")

    assert 1 == code
    assert all(name in err for name in PUBLISHED)


def test_an_own_file_gets_a_name_and_the_roster_finds_it(run, tmp_path):
    (tmp_path / "x.gguf").write_bytes(CONTENT)

    code, out, _ = run("models", "add", "own", "--file", "x.gguf", "--family", "test")

    assert (0, True) == (code, "backend: local, model: own, family: test" in out)
    (model,) = json.loads(run("models", "--json")[1])["models"]
    assert "weights are there" in model["state"]


def test_an_own_file_of_another_digest_gets_no_name(run, tmp_path):
    (tmp_path / "x.gguf").write_bytes(CONTENT)

    code, _, err = run("models", "add", "own", "--file", "x.gguf", "--sha256", "0" * 64)

    assert (1, True) == (code, "is expected" in err)
    assert {} == shelf.shelved()


@pytest.mark.parametrize("name", [*KNOWN, "small"])
def test_a_known_name_is_not_given_to_other_weights(run, small, tmp_path, name):
    (tmp_path / "x.gguf").write_bytes(CONTENT + b" of somebody else")

    code, out, err = run("models", "add", name, "--file", "x.gguf")

    assert (1, "", True) == (code, out, f"{name} is the name of" in err)
    assert {} == shelf.shelved()


def test_a_published_name_is_given_to_the_published_file(run, small, tmp_path):
    (tmp_path / "x.gguf").write_bytes(CONTENT)

    assert 0 == run("models", "add", "small", "--file", "x.gguf")[0]
    code, out, _ = run("models", "pull", "small")
    assert (0, f"small is there: {tmp_path / 'x.gguf'}\n") == (code, out)


@pytest.mark.parametrize("noted", [SMALL.sha256, hashlib.sha256(b"GGUF other").hexdigest()])
def test_other_weights_do_not_pass_as_published_ones(run, small, hub, tmp_path, noted):
    (tmp_path / "x.gguf").write_bytes(b"GGUF other")
    shelf.shelf_folder().mkdir(parents=True)
    note = shelf.shelf_folder() / "small.json"
    note.write_text(json.dumps({"path": str(tmp_path / "x.gguf"), "sha256": noted}))

    code, out, err = run("models", "pull", "small")

    assert (1, "", []) == (code, out, hub.asked)
    assert f"{SMALL.sha256} is expected; remove {note}" in err


def test_published_weights_that_are_gone_are_told_before_any_is_fetched(run, small, hub):
    run("models", "pull", "small")
    shelf.find("small").path.unlink()

    code, _, err = run("models", "pull", "small")

    assert (1, 1) == (code, len(hub.asked))
    assert "cannot read small.gguf: No such file" in err


def test_what_can_be_fetched_is_pinned_by_commit_and_digest():
    assert not KNOWN.keys() & PUBLISHED.keys()
    for name, known in PUBLISHED.items():
        assert shelf.NAME.fullmatch(name)
        assert (40, 64) == (len(known.revision), len(known.sha256))
        assert known.size_bytes > 100_000_000
