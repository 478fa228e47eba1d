"""`gremium ledger` signs, proves, keeps checkpoints, thins out and hands on, and says what is wrong."""

import json
import re
import stat
import time

import pytest
import yaml
from google.protobuf import json_format

from gremium.v1.manifest_pb2 import MANIFEST_STATE_COMPLETED
from services.cli import __main__ as command
from services.ledger.attest import attestation_of
from services.ledger.chain import chain_id_of, record_at
from services.ledger.lock import owning
from services.ledger.signing import signer_of
from tests.unit.ledger.chains import DAY_NS, add, add_ends, change, count, opened
from tests.unit.ledger.entries import ended, intent
from tests.unit.routing.recording import PASS, request

MODEL = {"backend": "openai", "family": "f", "model": "m", "timeout_s": 5}
CONFIG = {
    "models": {"a": MODEL},
    "ensembles": {"main": {"pattern": "jury", "jurors": [{"model": "a"}]}},
    "embeddings": {"backend": "none"},
    "ledger": {"path": "ledger.sqlite", "key": "key.pem"},
}
OLD_NS = time.time_ns() - 100 * DAY_NS


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run `gremium ledger` in a folder of its own: exit code, output, errors."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gremium.yaml").write_text(yaml.safe_dump(CONFIG))

    def ledger(*arguments):
        monkeypatch.setattr("sys.argv", ["gremium", "ledger", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command.main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return ledger


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def signer(run, tmp_path):
    run("key")
    return signer_of(tmp_path / "key.pem")


@pytest.fixture
def three(path, signer):
    add(path, "r1", "r2", "r3", signer=signer, time_ns=OLD_NS)
    return path


def told(result):
    code, out, _ = result
    return code, json.loads(out)


def test_a_key_is_made_where_the_configuration_names_it(run, tmp_path):
    code, made = told(run("key", "--json"))

    private = tmp_path / "key.pem"
    assert 0 == code
    assert made["key_id"] == signer_of(private).key_id
    assert made["pem"] == (tmp_path / "key.pem.pub").read_text()
    assert 0o600 == stat.S_IMODE(private.stat().st_mode)


def test_a_key_is_never_replaced(run, signer, tmp_path):
    before = (tmp_path / "key.pem").read_bytes()

    code, _, err = run("key")

    assert 1 == code
    assert "key.pem exists; a key is never replaced" in err
    assert before == (tmp_path / "key.pem").read_bytes()


def test_the_public_half_is_shown_again(run, signer):
    code, shown = told(run("key", "--show", "--json"))

    assert (0, signer.key_id) == (code, shown["key_id"])


def test_verifies_by_the_configured_key(run, three):
    code, found = told(run("verify", "--json"))

    assert 0 == code
    assert (True, 3, 3, None) == (found["ok"], found["count"], found["signed"], found["fault"])


def test_names_the_first_record_that_was_changed(run, three):
    change(three, "UPDATE records SET payload = x'00' WHERE seq = 2")

    code, out, _ = run("verify")
    _, found = told(run("verify", "--json"))

    assert 1 == code
    assert "the content of record 2 was changed" in out
    assert (False, 2) == (found["ok"], found["fault"]["sequence"])


def test_says_how_far_the_proof_reaches(run, three, tmp_path):
    (tmp_path / "gremium.yaml").unlink()

    code, out, _ = run("verify", three)

    assert 0 == code
    assert "no key was given" in out
    assert "no checkpoints were given" in out


def test_believes_a_public_key_without_a_configuration(run, three, tmp_path):
    (tmp_path / "gremium.yaml").unlink()

    code, found = told(run("verify", three, "--key", "key.pem.pub", "--json"))

    assert (0, 3) == (code, found["signed"])


def test_a_checkpoint_finds_what_is_missing_at_the_end(run, three, tmp_path):
    kept = tmp_path / "elsewhere" / "checkpoints"
    code, noted = told(run("checkpoint", "--to", kept, "--json"))
    change(three, "DELETE FROM records WHERE seq = 3")

    wrong, out, _ = run("verify", "--checkpoints", kept)

    assert (0, 3) == (code, noted["count"])
    assert 1 == wrong
    assert "record 3 is missing" in out


def test_no_checkpoint_is_noted_of_a_ledger_that_was_changed(run, three, tmp_path):
    kept = tmp_path / "checkpoints"
    run("checkpoint", "--to", kept)
    change(three, "DELETE FROM records WHERE seq = 3")

    code, _, err = run("checkpoint", "--to", kept)

    assert 1 == code
    assert "nothing is noted" in err
    assert 1 == len(kept.read_text().splitlines())


def test_quick_looks_only_at_what_came_since(run, three, signer, tmp_path):
    kept = tmp_path / "checkpoints"
    run("checkpoint", "--to", kept)
    add(three, "r4", signer=signer)

    assert 1 == told(run("verify", "--quick", "--checkpoints", kept, "--json"))[1]["checked"]
    assert 1 == run("verify", "--quick")[0]


def test_shows_how_the_last_records_hang_together(run, three, signer):
    _, found = told(run("show-chain", "--limit", "2", "--json"))
    second, third = found["records"]

    assert [2, 3] == [second["seq"], third["seq"]]
    assert second["hash"] == third["previous"]
    assert signer.key_id == third["key_id"]
    assert "r3" in run("show-chain")[1]


def test_prunes_what_is_old(run, three, signer):
    add(three, "new", signer=signer, time_ns=time.time_ns())

    code, found = told(run("prune", "--older-than", "90d", "--json"))

    assert (0, 3) == (code, found["removed"])
    assert 1 == count(three, "manifests")
    assert 0 == run("verify")[0]


def test_prune_makes_the_file_smaller_if_told_to(run, path, signer):
    add(path, *(f"r{n}" for n in range(300)), signer=signer, time_ns=OLD_NS)

    _, found = told(run("prune", "--older-than", "90d", "--compact", "--json"))

    assert found["freed_bytes"] > 0
    assert 0 == run("verify")[0]


def test_prune_leaves_a_ledger_alone_that_a_gateway_has_open(run, three):
    with owning(three):
        code, _, err = run("prune", "--older-than", "90d")

    assert 1 == code
    assert "in use by process" in err
    assert 3 == count(three, "records")


@pytest.mark.parametrize("age", ["1h", "0d", "90", "d", "-1d", "99999d"])
def test_prune_wants_a_span_of_a_day_or_more(run, three, age):
    assert 1 == run("prune", "--older-than", age)[0]
    assert 3 == count(three, "records")


def test_exports_lines_of_json(run, three):
    code, out, _ = run("export")

    rows = [json.loads(line) for line in out.splitlines()]
    assert 0 == code
    assert ["r1", "r2", "r3"] == [row["request_id"] for row in rows]
    assert {"COMPLETED"} == {row["state"] for row in rows}
    assert "Paris" == rows[0]["record"]["answers"][0]["text"]


def test_exports_to_a_file_that_is_there_once_it_is_whole(run, three, tmp_path):
    file = tmp_path / "out.jsonl"

    code, found = told(run("export", "--to", file, "--json"))

    assert (0, 3, str(file)) == (code, found["rows"], found["file"])
    assert 3 == len(file.read_text().splitlines())
    assert not list(tmp_path.glob("*.part"))


def test_exports_what_is_young_or_of_a_kind(run, three, signer):
    add(three, "new", signer=signer, time_ns=time.time_ns())

    assert ["new"] == [
        json.loads(row)["request_id"] for row in run("export", "--since", "7d")[1].splitlines()
    ]
    assert "" == run("export", "--kind", "feedback")[1]


@pytest.fixture
def learnable(path, run):
    """A request that a judge passed, one of which nothing is known."""
    judged = request("r1", ballots={"a": "x", "b": "y"}, verdicts={"a": PASS})
    for manifest in (judged, request("r2")):
        manifest.state = MANIFEST_STATE_COMPLETED
        add_ends(path, manifest)


def test_exports_rows_to_train_on(run, learnable, tmp_path):
    code, out, err = run("export", "--training")

    (line,) = map(json.loads, out.splitlines())
    assert (0, "r1", 1.0) == (code, line["id"], line["outcomes"]["small"]["quality"])
    assert "1 requests are left out" in err


def test_exports_a_table_with_a_row_for_each_model(run, learnable, tmp_path):
    pq = pytest.importorskip("pyarrow.parquet")
    file = tmp_path / "rows.parquet"

    run("export", "--training", "--format", "parquet", "--to", file)

    (row,) = pq.read_table(file).to_pylist()
    assert ("r1", "small", 1.0, 0.5, None) == tuple(
        row[name] for name in ("id", "model", "quality", "cost_usd", "prompt")
    )
    assert row["features"]


def test_says_why_there_is_nothing_to_train_on(run, three):
    code, _, err = run("export", "--training")

    assert 1 == code
    assert err


def test_tells_its_columns(run):
    code, out, _ = run("export", "--columns")

    assert 0 == code
    assert re.search(r"cost_usd +number +US dollars", out)


@pytest.mark.parametrize("name", ["verify", "export", "show-chain"])
def test_a_ledger_that_is_not_there_is_named(run, signer, name):
    code, _, err = run(name)

    assert 1 == code
    assert "there is no ledger" in err


@pytest.fixture
def attested(path, three, tmp_path):
    """The reply to r2, with its attestation, as JSON."""
    with opened(path) as connection:
        record = record_at(connection, 2)
        attestation = attestation_of(record, chain_id_of(connection))
    reply = ended(intent("r2"))
    reply.attestation.CopyFrom(attestation)
    file = tmp_path / "reply.json"
    file.write_text(json_format.MessageToJson(reply))
    return file


def test_a_client_verifies_what_it_was_handed_by_the_public_key_alone(run, attested, tmp_path):
    (tmp_path / "gremium.yaml").unlink()
    (tmp_path / "ledger.sqlite").unlink()

    code, found = told(run("verify", "--manifest", attested, "--key", "key.pem.pub", "--json"))

    assert (0, True, 2) == (code, found["ok"], found["sequence"])
    assert "r2" == found["manifest"]["request_id"]


def altered(file, change):
    reply = json.loads(file.read_text())
    change(reply)
    file.write_text(json.dumps(reply))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(
            lambda reply: reply["attestation"].update(record="AAAA"), "was changed", id="record"
        ),
        pytest.param(
            lambda reply: reply["attestation"].update(sequence=3), "not proved", id="place"
        ),
        pytest.param(
            lambda reply: reply["manifest"].update(costUsd=0.01), "beside", id="manifest beside"
        ),
        pytest.param(
            lambda reply: reply["manifest"]["answers"][0].update(text="Rome"), "beside", id="answer"
        ),
    ],
)
def test_a_manifest_that_was_changed_is_found(run, attested, change, problem):
    altered(attested, change)

    code, found = told(run("verify", "--manifest", attested, "--json"))

    assert (1, False) == (code, found["ok"])
    assert problem in found["problem"]


def test_a_manifest_signed_by_another_key_is_not_believed(run, attested, tmp_path):
    run("key", "other.pem")

    code, out, _ = run("verify", "--manifest", attested, "--key", "other.pem.pub")

    assert 1 == code
    assert "is signed by key" in out


def test_a_file_without_an_attestation_is_named(run, signer, tmp_path):
    (tmp_path / "x.json").write_text("[]")

    assert 1 == run("verify", "--manifest", "x.json")[0]
