"""`gremium calibrate --ledger` learns from records, and says what they cannot tell any more."""

import asyncio

import pytest
import yaml

from gremium.v1 import ensemble_pb2
from services.cli import __main__ as command
from services.ledger.sqlite import open_ledger
from services.ledger.terms import Terms
from services.ledger.texts import Texts
from tests.unit.calibration.test_recorded import CITIES, JSON, manifest
from tests.unit.cli.test_router import CONFIG


@pytest.fixture
def run(monkeypatch, tmp_path, capsys):
    """Run the command on a ledger with one request, whose feedback says what was expected."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gremium.yaml").write_text(yaml.safe_dump(CONFIG))

    def calibrate(kept, *, expected):
        asyncio.run(record(tmp_path / ".gremium/ledger.sqlite", kept, expected))
        monkeypatch.setattr("sys.argv", ["gremium", "calibrate", "--ledger"])
        with pytest.raises(SystemExit) as ended:
            command.main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return calibrate


async def record(path, kept, expected):
    asked = manifest(CITIES, shape=JSON, score=0.0, expected=expected)
    said = asked.feedback[0]
    asked.ClearField("feedback")
    async with open_ledger(path, Terms(texts=Texts(kept))) as ledger:
        await ledger.begin(asked, fingerprint="f")
        await ledger.finish(ensemble_pb2.AskResponse(request_id="r1", manifest=asked))
        await ledger.add_feedback("r1", said)


def test_says_of_whom_it_is_not_known_who_was_right(run):
    code, _, told = run("nothing", expected="Rome")

    assert 0 == code
    assert "of 1 request feedback says what was expected, but the ledger keeps no words" in told


@pytest.mark.parametrize(
    ("kept", "expected"), [("answers", "Rome"), ("nothing", '{"city": "Rome"}')]
)
def test_says_nothing_where_it_is(run, kept, expected):
    code, _, told = run(kept, expected=expected)

    assert 0 == code
    assert "keeps no words" not in told
