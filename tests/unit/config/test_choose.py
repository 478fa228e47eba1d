"""There is always a configuration: one's own, else made from keys, from Ollama, or embedded."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from services.config.choose import choose
from services.config.lint import lint
from services.config.load import load
from services.config.problems import ConfigError
from services.config.schema import schema

KEYS = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY")
NOBODY = "127.0.0.1:1"
OWN = """\
models:
  own: {backend: openai, model: m, family: f, timeout_s: 5}
ensembles:
  mine: {pattern: jury, jurors: [{model: own}]}
"""


@contextmanager
def ollama_with(body: bytes, *, delay_s: float = 0.0) -> Iterator[str]:
    """A server in Ollama's place that lists what `body` says; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            time.sleep(delay_s)
            found = self.path == "/api/tags"
            self.send_response(200 if found else 404)
            self.end_headers()
            with suppress(BrokenPipeError):  # the caller may be gone
                self.wfile.write(body if found else b"")

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def tags(*models: tuple[str, str, int], **more) -> bytes:
    listed = [
        {"name": name, "model": name, "size": size, "details": {"family": family}, **more}
        for name, family, size in models
    ]
    return json.dumps({"models": listed}).encode()


@pytest.fixture
def chosen(tmp_path):
    def pick(path=None, *, env=(), address=NOBODY):
        secrets = dict.fromkeys(env, "sk-secret")
        return choose(path, directory=tmp_path, env=secrets, ollama_address=address)

    return pick


def codes(choice) -> set[tuple[str, str]]:
    return {(f.code, f.where.split(".")[1]) for f in lint(choice.loaded.config)}


def test_reads_the_file_that_is_named(chosen, tmp_path):
    (tmp_path / "other.yaml").write_text(OWN)
    (tmp_path / "gremium.yaml").write_text("broken")

    choice = chosen(tmp_path / "other.yaml", env=KEYS)

    assert "mine" == choice.loaded.config.default
    assert f"Read from {tmp_path / 'other.yaml'}." == choice.origin


def test_refuses_a_named_file_that_is_missing(chosen, tmp_path):
    with pytest.raises(ConfigError, match="there is no such file"):
        chosen(tmp_path / "absent.yaml", env=KEYS)


def test_prefers_ones_own_file_to_keys(chosen, tmp_path):
    (tmp_path / "gremium.yaml").write_text(OWN)

    assert "mine" == chosen(env=KEYS).loaded.config.default
    assert not (tmp_path / ".gremium").exists()


def test_does_not_pass_over_a_link_that_leads_nowhere(chosen, tmp_path):
    (tmp_path / "gremium.yaml").symlink_to(tmp_path / "absent")

    with pytest.raises(ConfigError):
        chosen(env=KEYS)


@pytest.mark.parametrize("keys", [KEYS, KEYS[:2], KEYS[1:], (KEYS[0], KEYS[2])])
def test_makes_a_jury_across_the_families_whose_keys_are_there(chosen, keys):
    choice = chosen(env=keys)

    config = choice.loaded.config
    jurors = [config.models[juror.model] for juror in config.ensembles["default"].jurors]
    assert list(keys) == [juror.api_key_env for juror in jurors]
    assert len(keys) == len({juror.family for juror in jurors})
    assert all(key in choice.origin for key in keys)
    assert set() == codes(choice)


def test_lets_either_of_two_families_answer_alone(chosen):
    assert 1 == chosen(env=KEYS[:2]).loaded.config.ensembles["default"].tiers[0].needed
    assert 2 == chosen(env=KEYS).loaded.config.ensembles["default"].tiers[0].needed


@pytest.mark.parametrize("key", KEYS)
def test_makes_a_cascade_of_one_familys_models_and_warns_of_its_jury(chosen, key):
    choice = chosen(env=[key])

    config = choice.loaded.config
    small, large = (tier.jurors[0].model for tier in config.ensembles["default"].tiers)
    prices = [config.models[name].price.output_usd_per_mtok for name in (small, large)]
    assert prices == sorted(prices)
    assert "Self-family" in config.ensembles["jury"].description
    assert {("ONE_FAMILY", "jury"), ("ONE_PROVIDER", "jury")} == codes(choice)


def test_takes_an_empty_key_for_none(tmp_path):
    choice = choose(None, directory=tmp_path, env={"OPENAI_API_KEY": ""}, ollama_address=NOBODY)

    assert "embedded" in choice.origin


def test_says_which_file_the_disk_has_no_place_for(chosen, tmp_path, monkeypatch):
    def full(path, *_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_text", full)

    with pytest.raises(OSError, match=r"No space left on device: .*gremium\.schema\.draft"):
        chosen()


def test_writes_no_key_into_a_file(chosen):
    assert "sk-secret" not in chosen(env=KEYS).loaded.path.read_text()


def test_asks_what_ollama_has_and_lets_the_rest_judge(chosen):
    listed = tags(
        ("qwen3:8b", "qwen3", 5), ("llama3.2:3b", "llama", 2), ("qwen3:1b", "qwen3", 1),
        ("nomic-embed-text:latest", "nomic-bert", 9),
    )  # fmt: skip
    with ollama_with(listed) as address:
        config = chosen(address=address).loaded.config

    default = config.ensembles["default"]
    assert ["qwen3-8b", "llama3.2-3b"] == [juror.model for juror in default.jurors]
    assert ("qwen3-1b",) == default.judge.models
    assert ["qwen3-1b", "qwen3-8b"] == [t.jurors[0].model for t in config.ensembles["quick"].tiers]
    assert f"http://{address}/v1" == config.models["qwen3-8b"].base_url
    assert {"qwen", "llama"} == {model.family for model in config.models.values()}


def test_asks_a_lonely_model_of_ollama_in_several_ways(chosen):
    with ollama_with(tags(("hf.co/Some/Model:Q4", "llama", 2))) as address:
        config = chosen(address=address).loaded.config

    jurors = config.ensembles["default"].jurors
    assert {"hf.co-Some-Model-Q4"} == {juror.model for juror in jurors}
    assert 3 == len({juror.instruction for juror in jurors})
    assert 1 == len(config.ensembles["quick"].tiers)


def test_makes_no_model_that_ollama_would_ask_elsewhere(chosen):
    with ollama_with(tags(("big:cloud", "llama", 2), remote_host="https://ollama.com")) as address:
        assert "embedded" in chosen(address=address).origin


def test_prefers_keys_to_ollama(chosen):
    with ollama_with(tags(("llama3", "llama", 2))) as address:
        assert "openai" in {
            m.provider for m in chosen(env=KEYS[:1], address=address).loaded.config.models.values()
        }


@pytest.mark.parametrize("body", [b"", b"hello", b"[]", b'{"models": [3]}', b'{"models": []}'])
def test_needs_an_ollama_that_has_models(chosen, body):
    with ollama_with(body) as address:
        assert "embedded" in chosen(address=address).origin


def test_does_not_wait_for_a_slow_ollama(chosen):
    with ollama_with(tags(("llama3", "llama", 2)), delay_s=1.0) as address:
        started = time.monotonic()
        choice = chosen(address=address)
        waited_s = time.monotonic() - started

    assert "embedded" in choice.origin
    assert waited_s < 0.9


def test_falls_back_to_the_embedded_model(chosen):
    config = chosen().loaded.config

    assert {"smollm2-135m"} == {model.model for model in config.models.values()}
    assert 3 == len({juror.instruction for juror in config.ensembles["default"].jurors})
    assert all(ensemble.judge.models == () for ensemble in config.ensembles.values())


def test_made_files_are_the_same_bytes_each_time(chosen):
    assert chosen(env=KEYS).loaded.sha256 == chosen(env=KEYS).loaded.sha256


def test_made_files_name_the_schema_beside_them_and_keep_the_ledger_there(chosen):
    loaded = chosen().loaded

    first = loaded.path.read_text().splitlines()[0]
    named = loaded.path.parent / first.removeprefix("# yaml-language-server: $schema=")
    assert schema() == named.read_text()
    assert loaded.path.parent / "ledger.sqlite" == loaded.resolve(loaded.config.ledger.path)
    assert ["gremium.schema.json", "gremium.yaml"] == sorted(p.name for p in named.parent.iterdir())


def test_what_was_made_can_be_kept(chosen, tmp_path):
    made = chosen(env=KEYS).loaded

    (tmp_path / "gremium.yaml").write_bytes(made.path.read_bytes())

    assert made.config == load(Path(tmp_path / "gremium.yaml")).config
