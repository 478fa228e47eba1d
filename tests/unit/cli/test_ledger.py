"""`gremium ledger` signs, proves, keeps checkpoints and thins out, and says what is wrong."""

import json
import stat
import time

import pytest

from services.ledger.lock import owning
from services.ledger.signing import signer_of
from tests.unit.ledger.chains import DAY_NS, add, change, count

OLD_NS = time.time_ns() - 100 * DAY_NS


def told(result):
    code, out, _ = result
    return code, json.loads(out)


def test_a_key_is_made_where_the_configuration_names_it(ledger, tmp_path):
    code, made = told(ledger("key", "--json"))

    private = tmp_path / "key.pem"
    assert 0 == code
    assert made["key_id"] == signer_of(private).key_id
    assert made["pem"] == (tmp_path / "key.pem.pub").read_text()
    assert 0o600 == stat.S_IMODE(private.stat().st_mode)


def test_a_key_is_never_replaced(ledger, signer, tmp_path):
    before = (tmp_path / "key.pem").read_bytes()

    code, _, err = ledger("key")

    assert 1 == code
    assert "key.pem exists; a key is never replaced" in err
    assert before == (tmp_path / "key.pem").read_bytes()


def test_the_public_half_is_shown_again(ledger, signer):
    code, shown = told(ledger("key", "--show", "--json"))

    assert (0, signer.key_id) == (code, shown["key_id"])


def test_verifies_by_the_configured_key(ledger, three):
    code, found = told(ledger("verify", "--json"))

    assert 0 == code
    assert (True, 3, 3, None) == (found["ok"], found["count"], found["signed"], found["fault"])


def test_names_the_first_record_that_was_changed(ledger, three):
    change(three, "UPDATE records SET payload = x'00' WHERE seq = 2")

    code, out, _ = ledger("verify")
    _, found = told(ledger("verify", "--json"))

    assert 1 == code
    assert "the content of record 2 was changed" in out
    assert (False, 2) == (found["ok"], found["fault"]["sequence"])


def test_says_how_far_the_proof_reaches(ledger, three, tmp_path):
    (tmp_path / "gremium.yaml").unlink()

    code, out, _ = ledger("verify", three)

    assert 0 == code
    assert "no key was given" in out
    assert "no checkpoints were given" in out


def test_believes_a_public_key_without_a_configuration(ledger, three, tmp_path):
    (tmp_path / "gremium.yaml").unlink()

    code, found = told(ledger("verify", three, "--key", "key.pem.pub", "--json"))

    assert (0, 3) == (code, found["signed"])


def test_a_checkpoint_finds_what_is_missing_at_the_end(ledger, three, tmp_path):
    kept = tmp_path / "elsewhere" / "checkpoints"
    code, noted = told(ledger("checkpoint", "--to", kept, "--json"))
    change(three, "DELETE FROM records WHERE seq = 3")

    wrong, out, _ = ledger("verify", "--checkpoints", kept)

    assert (0, 3) == (code, noted["count"])
    assert 1 == wrong
    assert "record 3 is missing" in out


def test_no_checkpoint_is_noted_of_a_ledger_that_was_changed(ledger, three, tmp_path):
    kept = tmp_path / "checkpoints"
    ledger("checkpoint", "--to", kept)
    change(three, "DELETE FROM records WHERE seq = 3")

    code, _, err = ledger("checkpoint", "--to", kept)

    assert 1 == code
    assert "nothing is noted" in err
    assert 1 == len(kept.read_text().splitlines())


def test_quick_looks_only_at_what_came_since(ledger, three, signer, tmp_path):
    kept = tmp_path / "checkpoints"
    ledger("checkpoint", "--to", kept)
    add(three, "r4", signer=signer)

    assert 1 == told(ledger("verify", "--quick", "--checkpoints", kept, "--json"))[1]["checked"]
    assert 1 == ledger("verify", "--quick")[0]


def test_shows_how_the_last_records_hang_together(ledger, three, signer):
    _, found = told(ledger("show-chain", "--limit", "2", "--json"))
    second, third = found["records"]

    assert [2, 3] == [second["seq"], third["seq"]]
    assert second["hash"] == third["previous"]
    assert signer.key_id == third["key_id"]
    assert "r3" in ledger("show-chain")[1]


def test_prunes_what_is_old(ledger, three, signer):
    add(three, "new", signer=signer, time_ns=time.time_ns())

    code, found = told(ledger("prune", "--older-than", "90d", "--json"))

    assert (0, 3) == (code, found["removed"])
    assert 1 == count(three, "manifests")
    assert 0 == ledger("verify")[0]


def test_prune_makes_the_file_smaller_if_told_to(ledger, ledger_file, signer):
    add(ledger_file, *(f"r{n}" for n in range(300)), signer=signer, time_ns=OLD_NS)

    _, found = told(ledger("prune", "--older-than", "90d", "--compact", "--json"))

    assert found["freed_bytes"] > 0
    assert 0 == ledger("verify")[0]


def test_prune_leaves_a_ledger_alone_that_a_gateway_has_open(ledger, three):
    with owning(three):
        code, _, err = ledger("prune", "--older-than", "90d")

    assert 1 == code
    assert "in use by process" in err
    assert 3 == count(three, "records")


@pytest.mark.parametrize("age", ["1h", "0d", "90", "d", "-1d", "99999d"])
def test_prune_wants_a_span_of_a_day_or_more(ledger, three, age):
    assert 1 == ledger("prune", "--older-than", age)[0]
    assert 3 == count(three, "records")


@pytest.mark.parametrize("name", ["verify", "export", "show-chain"])
def test_a_ledger_that_is_not_there_is_named(ledger, signer, name):
    code, _, err = ledger(name)

    assert 1 == code
    assert "there is no ledger" in err


def test_without_a_configuration_the_key_is_beside_the_ledger(ledger, tmp_path):
    (tmp_path / "gremium.yaml").unlink()

    code, made = told(ledger("key", "--json"))

    assert (0, str(tmp_path / ".gremium/ledger-key.pem")) == (code, made["private"])


def test_prune_makes_no_ledger_where_there_is_none(ledger, ledger_file):
    code, _, err = ledger("prune", "--older-than", "90d")

    assert (1, True) == (code, f"there is no ledger {ledger_file}" in err)
    assert not ledger_file.exists()
