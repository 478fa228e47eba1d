"""A configuration is refused with file, line and plain words, every problem at once."""

import hashlib
from pathlib import Path

import pytest

from services.config.load import load
from services.config.problems import ConfigError
from services.config.tree import Model
from tests.unit.config.valid import VALID


def test_reads_a_valid_file(written):
    path = written(VALID)

    loaded = load(path)

    assert "gpt-x" == loaded.config.models["small"].model
    assert path == loaded.path
    assert hashlib.sha256(path.read_bytes()).hexdigest() == loaded.sha256


def test_keeps_the_path_absolute_so_that_every_process_finds_it(written, monkeypatch):
    path = written(VALID)
    monkeypatch.chdir(path.parent)

    assert path == load(Path("gremium.yaml")).path


def test_reads_what_an_anchor_repeats(written):
    text = VALID.replace("    model: gpt-x", "    model: &name gpt-x\n    provider: *name")

    assert "gpt-x" == load(written(text)).config.models["small"].provider


def test_lets_a_mapping_override_what_it_merges(written):
    text = (
        VALID.replace("models:\n", "models:\n  base: &base\n", 1)
        .replace("  small:\n", "", 1)
        .replace("ensembles:", "  small:\n    <<: *base\n    timeout_s: 9\nensembles:")
    )

    models = load(written(text)).config.models

    assert (5, 9) == (models["base"].timeout_s, models["small"].timeout_s)


def test_names_a_missing_file(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.yaml:1: there is no such file"):
        load(tmp_path / "absent.yaml")


def test_says_when_a_folder_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r":1: cannot be read: Is a directory"):
        load(tmp_path)


def test_its_text_has_one_line_per_problem_with_file_and_line(written):
    path = written(VALID.replace("timeout_s: 5", "timeout_s: -5\n    loud: 3"))
    known = sorted(Model.model_fields)

    with pytest.raises(ConfigError) as caught:
        load(path)

    assert str(caught.value).splitlines() == [
        f"{path}:6: models.small.timeout_s: must be above 0, not -5",
        f"{path}:7: models.small.loud: unknown key `loud`; known here: " + ", ".join(known),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        pytest.param(
            "timeout_s: 5",
            "timeout_s: 5\n    famly: gpt",
            7,
            "models.small.famly: unknown key `famly`; did you mean `family`?",
            id="misspelt key",
        ),
        pytest.param(
            "model: small\n",
            "model: small\n        wieght: 2\n",
            12,
            "ensembles.default.jurors[0].wieght: unknown key `wieght`; did you mean `weight`?",
            id="misspelt key in a list",
        ),
        pytest.param(
            "    jurors:",
            "    judge:\n      modles: [small]\n    jurors:",
            11,
            "ensembles.default.judge.modles: unknown key `modles`; did you mean `models`?",
            id="misspelt key in an optional section",
        ),
        pytest.param(
            "    timeout_s: 5\n",
            "",
            2,
            "models.small: `timeout_s` is missing (Longest time to wait for one reply)",
            id="missing timeout",
        ),
        pytest.param(
            "timeout_s: 5",
            "timeout_s: soon",
            6,
            "models.small.timeout_s: must be a number, not 'soon'",
            id="no number",
        ),
        pytest.param(
            "model: gpt-x",
            "model: 4.1",
            4,
            "models.small.model: must be text; put it in quotes, not 4.1",
            id="number for a name",
        ),
        pytest.param(
            "backend: openai",
            "backend: opnai",
            3,
            "models.small.backend: must be 'openai', 'anthropic', 'google', 'local' or 'recorded',"
            " not 'opnai'",
            id="unknown backend",
        ),
        pytest.param(
            "pattern: jury",
            "pattern: jurry",
            9,
            "ensembles.default.pattern: `pattern` must be 'route', 'cascade', 'jury' or 'specialists', not 'jurry'",
            id="unknown pattern",
        ),
        pytest.param(
            "    pattern: jury\n",
            "",
            8,
            "ensembles.default: `pattern` is missing; it must be 'route', 'cascade', 'jury' or 'specialists'",
            id="no pattern",
        ),
        pytest.param(
            "- model: small",
            "- model: smal",
            11,
            "ensembles.default.jurors[0].model: no model is called `smal`; did you mean `small`?",
            id="unknown juror",
        ),
        pytest.param(
            "    jurors:",
            "    synthesis: {models: [smal]}\n    jurors:",
            10,
            "ensembles.default.synthesis.models[0]: no model is called `smal`; did you mean"
            " `small`?",
            id="unknown synthesiser",
        ),
        pytest.param(
            "models:\n",
            "default_ensemble: quick\nmodels:\n",
            1,
            "default_ensemble: no ensemble is called `quick`; there are: default",
            id="unknown ensemble",
        ),
        pytest.param(
            "  small:\n",
            "  my model:\n",
            2,
            "models.my model: may hold letters, digits, `.`, `_` and `-`, starts with a letter or"
            " digit, and has at most 128 characters, not 'my model'",
            id="bad name",
        ),
        pytest.param(
            "    jurors:",
            "    waves: [1, 1]\n    jurors:",
            8,
            "ensembles.default: waves [1, 1] are of more than the 1 jurors",
            id="waves of more than the jury",
        ),
        pytest.param(
            "    jurors:",
            "    quorum: 2\n    jurors:",
            8,
            "ensembles.default: quorum 2 is more than the 1 jurors",
            id="quorum out of reach",
        ),
        pytest.param(
            "timeout_s: 5",
            "timeout_s: 5\n    timeout_s: 6",
            7,
            "`timeout_s` stands twice",
            id="key twice",
        ),
    ],
)
def test_points_to_the_line(problems, old, new, line, message):
    assert (line, message) in problems(VALID.replace(old, new, 1))


def test_lists_every_problem_in_the_order_of_the_file(problems):
    text = (
        VALID.replace("openai", "x").replace("timeout_s: 5", "a: 1").replace("- model: s", "- m: s")
    )

    assert [2, 3, 6, 11, 11] == [line for line, _ in problems(text)]


def test_blames_the_item_alone_when_the_list_is_empty_without_it(problems):
    found = problems(VALID.replace("- model: small", "- model: small\n        weight: -1"))

    assert [(12, "ensembles.default.jurors[0].weight: must be at least 0, not -1")] == found


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("api_key: abc", id="key"),
        pytest.param("apiKey: 0123456789", id="other spelling"),
        pytest.param("authorization: Bearer abcdefgh", id="header"),
        pytest.param("provider: sk-proj-abcdefghijklmnopqrstuvwx", id="value"),
        pytest.param("api_key_env: AIzaSyA1234567890abcdefghijk", id="key for its name"),
        pytest.param("base_url: https://me:pa55word@host/v1", id="password in an address"),
    ],
)
def test_sends_a_secret_to_the_environment_and_never_repeats_it(problems, line):
    key, _, secret = line.partition(": ")

    [(at, message)] = problems(VALID.replace("timeout_s: 5", f"timeout_s: 5\n    {line}"))

    assert 7 == at
    assert message.startswith(f"models.small.{key}: looks like a secret")
    assert "`api_key_env`" in message
    assert secret not in message


def test_a_key_that_signs_is_named_by_its_file_and_not_written_down(problems):
    pasted = VALID + 'ledger: {key: "-----BEGIN PRIVATE KEY----- MC4CAQAwBQYDK2Vw"}\n'

    [(_, message)] = problems(pasted)

    assert message.startswith("ledger.key: looks like a secret")


@pytest.mark.parametrize(
    "model",
    ["hf.co/bartowski/Model-Instruct-GGUF:Q4_K_M", "sk-learn", "org/hf_model-with-a-long-name-7b"],
)
def test_takes_no_name_for_a_secret(written, model):
    text = VALID.replace("gpt-x", model)

    assert model == load(written(text)).config.models["small"].model


def test_does_not_repeat_what_stands_for_the_name_of_a_key(problems):
    [(_, message)] = problems(
        VALID.replace("timeout_s: 5", "timeout_s: 5\n    api_key_env: my-key")
    )

    assert "my-key" not in message
    assert "name of an environment variable" in message


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        pytest.param("", 1, "the file is empty", id="empty"),
        pytest.param("# nothing\n", 1, "the file is empty", id="comments only"),
        pytest.param("- a\n", 1, "must hold keys and their values", id="list"),
        pytest.param("a: 1\n\tb: 2\n", 2, "is no valid YAML: found a tab; indent with spaces", id="tab"),
        pytest.param("a: [1\nb: 2\n", 2, "is no valid YAML: expected ',' or ']', but got ':'", id="bracket"),
        pytest.param("a: !!python/name:os.system\n", 1, None, id="code"),
        pytest.param("a: 1\n---\nb: 2\n", 2, "is no valid YAML: but found another document", id="two documents"),
        pytest.param(b"a: 1\nb: \xff\n", 2, "is not UTF-8 text", id="bytes"),
        pytest.param("a: 1\nb: 2026-13-45\n", 2, "holds '2026-13-45', which YAML cannot read as a value", id="no date"),
        pytest.param("a: 1\nb:\n  - 0x_\n", 3, "holds '0x_', which YAML cannot read as a value", id="no number"),
        pytest.param("a: 1\nb: !!bool maybe\n", 2, "holds 'maybe', which YAML cannot read as a value", id="no truth value"),
        pytest.param("a: 1\n!!timestamp soon: 2\n", 2, "holds 'soon', which YAML cannot read as a value", id="no time"),
        pytest.param("a: 1\nb: \x07\n", 2, "holds a character that YAML does not allow", id="control character"),
    ],
)  # fmt: skip
def test_says_why_it_is_no_configuration(problems, text, line, message):
    [(at, told)] = [problem for problem in problems(text) if message in {None, problem[1]}]

    assert line == at
    assert told


def test_refuses_a_document_that_contains_itself(problems):
    text = VALID.replace("models:", "router: &me\n  domains: *me\nmodels:", 1)

    assert [(1, "contains itself")] == problems(text)


def test_speaks_no_jargon(problems):
    text = VALID.replace("openai", "1").replace("family: gpt", "price: []\n    tools: 3")

    told = " ".join(message for _, message in problems(text))

    assert not [word for word in ("Input", "instance", "validation", "type=") if word in told]
