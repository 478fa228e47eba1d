"""`gremium router` goes from labelled rows to a router in use and back, and says what it did."""

import asyncio
import json
from dataclasses import replace

import numpy as np
import pytest
import yaml

from gremium.v1.ensemble_pb2 import AskResponse
from gremium.v1.manifest_pb2 import MANIFEST_STATE_COMPLETED
from services.cli import __main__ as command
from services.ledger.sqlite import open_ledger
from services.routing.artefact import Embedding
from services.routing.fit import fit
from services.routing.shelf import Shelf
from tests.unit.ledger.chains import add_ends, add_shadow
from tests.unit.router.test_replay import requests
from tests.unit.routing.recording import EQUAL, PASS, features, request, shadow
from tests.unit.routing.test_predict import DIM, planted

MODEL = {"backend": "openai", "family": "f", "model": "m", "timeout_s": 5}
CONFIG = {
    "models": {"small": MODEL, "large": MODEL},
    "ensembles": {
        "main": {
            "pattern": "route",
            "tiers": [{"name": n, "jurors": [{"model": n}]} for n in ("small", "large")],
            "policy": {"rule": "utility", "explore": {}},
            "judge": {},
        }
    },
    "embeddings": {"backend": "none"},
}
KINDS = (("What is {a} plus {b}?", 0.95), ("Prove that {a} divides {b} or not.", 0.1))


def lines(*, seed=0, n=40, noise=0.0):
    rng = np.random.default_rng(seed)
    for a in range(n):
        for text, small in KINDS:
            p = 0.5 if rng.random() < noise else small
            yield {
                "id": f"{a} {text}",
                "prompt": text.format(a=a, b=a + 3),
                "outcomes": {
                    "small": {"quality": float(rng.random() < p), "cost_usd": 0.001},
                    "large": {"quality": float(rng.random() < 0.95), "cost_usd": 0.01},
                },
            }


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run `gremium router` in a folder of its own: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gremium.yaml").write_text(yaml.safe_dump(CONFIG))
    written(tmp_path / "outcomes.jsonl", lines())

    def router(*arguments):
        monkeypatch.setattr("sys.argv", ["gremium", "router", *arguments])
        with pytest.raises(SystemExit) as ended:
            command.main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return router


@pytest.fixture
def told(run):
    """The same, read as JSON."""

    def ask(*arguments):
        code, out, err = run(*arguments, "--json")
        assert 0 == code, err
        return json.loads(out)

    return ask


FROM = ("--from", "outcomes.jsonl")


def test_trains_measures_and_keeps_a_router(told):
    learned = told("train", *FROM)
    (kept,) = told("list")["routers"]

    assert learned["id"] == kept["id"]
    assert {"train": 64, "test": 16, "dropped": 0} == learned["rows"]
    assert (64, 80) == (learned["models"]["small"]["labels"], learned["embedded"])
    assert learned["seconds"]["fitting"] > 0.0
    assert "" == told("list")["in_use"]


def test_embeddings_are_kept_for_the_next_time(told):
    told("train", *FROM)

    assert 0 == told("train", *FROM, "--seed", "1")["embedded"]


def test_the_same_prompt_on_both_sides_is_dropped_and_said_so(run, tmp_path):
    twice = [*lines(), *({**line, "id": f"again {line['id']}"} for line in lines())]
    written(tmp_path / "outcomes.jsonl", twice)
    _, out, _ = run("train", *FROM)

    assert "held-out prompts were dropped: the same text is among those learned from" in out
    assert "learned from 128 prompts" in out


def test_is_put_in_use_and_taken_back(told):
    first, second = (told("train", *FROM, "--seed", seed)["id"] for seed in ("0", "1"))

    assert {"in_use": first, "before": ""} == told("use", first[:6])
    assert {"in_use": second, "before": first} == told("use", second)
    assert second == told("list")["in_use"]
    assert {"in_use": first, "before": second} == told("rollback")
    assert {"in_use": "", "before": first} == told("rollback")


def test_a_route_goes_by_the_one_in_use(run, told, monkeypatch, capsys):
    id_ = told("train", *FROM, "--use")["id"]
    monkeypatch.setattr("sys.argv", ["gremium", "route", "What is 3 plus 4?", "--json"])
    with pytest.raises(SystemExit):
        command.main()

    assert id_ == json.loads(capsys.readouterr().out)["artefact_id"]


def test_evaluates_on_what_it_had_not_seen(told):
    learned = told("train", *FROM, "--hold-out", "0.4")
    found = told("eval", *FROM)

    assert (learned["id"], 32, 48) == (found["id"], found["rows"], found["dropped"])
    assert {"router", "random", "length", "kNN", "oracle"} <= found["pair"]["rules"].keys()


def test_refuses_to_measure_on_what_it_learned_from(run, told):
    told("train", *FROM, "--hold-out", "0")
    code, _, err = run("eval", *FROM)

    assert 1 == code
    assert "all 80 rows are of prompts that it learned from" in err


def test_draws_the_curves(run, told, tmp_path):
    told("train", *FROM, "--hold-out", "0.4")
    run("eval", *FROM, "--png", "curve.png")

    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_compares_two_on_the_same_rows(told, tmp_path):
    good = told("train", *FROM, "--hold-out", "0.4")["id"]
    written(tmp_path / "noise.jsonl", lines(seed=5, noise=1.0))
    poor = told("train", "--from", "noise.jsonl", "--hold-out", "0.4")["id"]
    written(tmp_path / "fresh.jsonl", (
        {**line, "prompt": line["prompt"].replace("?", " in words?").replace(".", " in words.")}
        for line in lines(seed=9)
    ))  # fmt: skip
    found = told("compare", poor, good, "--from", "fresh.jsonl")

    assert (poor, good) == (found["a"]["id"], found["b"]["id"])
    assert found["b"]["log_loss"] < found["a"]["log_loss"]
    assert found["log_loss_gain"][1] < 0.0


def recorded(path, manifests):
    """A ledger of these requests."""

    async def record(ledger, manifest):
        manifest.state = MANIFEST_STATE_COMPLETED
        await ledger.begin(manifest, fingerprint="f")
        await ledger.finish(AskResponse(request_id=manifest.request_id, manifest=manifest))

    async def record_all():
        async with open_ledger(path) as ledger:
            await asyncio.gather(*(record(ledger, manifest) for manifest in manifests))

    asyncio.run(record_all())


@pytest.fixture(scope="module")
def routing():
    """A router of eight dimensions, as the replay's tests know it."""
    return fit(planted(), Embedding("none", "words", DIM), created="1")


def test_estimates_what_routers_would_have_been_worth_where_tiers_were_drawn(
    told, routing, tmp_path
):
    """Both are the same router; the ledger is that of the replay's tests."""
    shelf = Shelf(tmp_path / ".gremium/routers")
    routings = [routing, replace(routing, created="2")]
    for each in routings:
        shelf.put(each, ["0" * 32])
    recorded(tmp_path / ".gremium/ledger.sqlite", requests(300))
    found = told("compare", *(each.id for each in routings), "--from-ledger")
    (ours,) = found["off_policy"]

    assert ("main", 299) == (ours["ensemble"], ours["requests"])
    assert ours["a"] == ours["b"]
    assert abs(ours["a"]["quality"] - 0.875) < 4 * ours["a"]["quality_error"]
    assert ours["a"]["n_effective"] > 100


def test_an_estimate_is_refused_where_nothing_was_tried(run, routing, tmp_path):
    shelf = Shelf(tmp_path / ".gremium/routers")
    shelf.put(routing, [])
    once = requests(300, only="small", propensity=1.0)
    recorded(tmp_path / ".gremium/ledger.sqlite", once)
    code, out, _ = run("compare", routing.id, routing.id, "--from-ledger")

    assert 0 == code
    assert f"  {routing.id}: the mean weight is" in out
    assert "the log shows too little of what the policy would do" in out


def test_learns_of_a_cheaper_model_from_its_shadows(told, tmp_path):
    (tmp_path / ".gremium").mkdir()
    ledger = tmp_path / ".gremium/ledger.sqlite"
    asked = [
        request(f"r{n}", verdicts={"b": PASS}, kept=features(digest=f"{n:032}")) for n in range(30)
    ]
    for each in asked:
        each.state = MANIFEST_STATE_COMPLETED
    add_ends(ledger, *asked)
    for each in asked:
        add_shadow(ledger, shadow(EQUAL, "small", request_id=each.request_id))

    found = told("train", "--from-ledger")

    labels = {name: each["labels"] for name, each in found["models"].items()}
    assert labels["small"] == labels["large"] > 0


def test_a_router_of_another_embedding_is_refused(run, told, tmp_path):
    id_ = told("train", *FROM)["id"]
    minilm = {**CONFIG, "embeddings": {"backend": "minilm"}}
    (tmp_path / "gremium.yaml").write_text(yaml.safe_dump(minilm))
    code, _, err = run("use", id_)

    assert 1 == code
    assert "was trained with none; `embeddings.backend` is minilm" in err


def test_few_rows_are_learned_from_and_said_to_be_few(run, tmp_path):
    written(tmp_path / "outcomes.jsonl", list(lines())[:8])
    code, out, _ = run("train", *FROM)

    assert 0 == code
    assert "small is cold, and goes by its prior" in out
    assert "6 labels; 30 are needed" in out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("train",), "needs either --from FILE or --from-ledger"),
        (("train", *FROM, "--from-ledger"), "needs either --from FILE or --from-ledger"),
        (("train", *FROM, "--ensemble", "main"), "--ensemble is of use with --from-ledger alone"),
        (("train", "--from", "missing.jsonl"), "missing.jsonl: cannot be read"),
        (("train", "--from-ledger"), "there is no ledger"),
        (("eval", *FROM), "holds no router; `gremium router train` makes one"),
        (("eval", *FROM, "--weak", "small"), "--weak and --strong belong together"),
        (("use", "abc"), "no router 'abc'; there are: none"),
        (("rollback",), "no router is in use"),
        (("compare", "current", "abc", *FROM), "no router is in use"),
    ],
)
def test_says_what_is_wrong(run, arguments, reason):
    code, _, err = run(*arguments)

    assert 1 == code
    assert reason in err


def test_a_wrong_line_is_named(run, tmp_path):
    (tmp_path / "outcomes.jsonl").write_text('{"id": "1", "prompt": "x", "outcomes": {"a": 2}}\n')
    code, _, err = run("train", *FROM)

    assert 1 == code
    assert "outcomes.jsonl:1: outcomes.a" in err


def test_help_tells_the_format_of_the_file(run):
    _, out, _ = run("train", "--help")

    for field in ("id", "prompt", "vector", "features", "domain", "outcomes"):
        assert f"\n    {field} " in out
