"""`gremium report` reads the ledger of a configuration, and says what to change in it."""

import asyncio
import json
import shutil
import subprocess

import pytest

from gremium.v1.ensemble_pb2 import AskResponse
from gremium.v1.manifest_pb2 import Feedback
from services.cli import __main__ as command
from services.ledger.sqlite import open_ledger
from tests.unit.report.manifests import juror, manifest, tally

TEXT = """\
version: 1
models:
  a: {backend: openai, model: a, family: a, timeout_s: 9}
  b: {backend: openai, model: b, family: b, timeout_s: 9}
  c: {backend: openai, model: c, family: c, timeout_s: 9}
ensembles:
  everyday: # asked all day
    pattern: jury
    jurors:
      - model: a # the one
      - model: b
      - model: c
ledger: {path: ledger.sqlite}
"""
N = 210


def ended(number):
    """Two agree, and are right; the second and the third are wrong together now and then."""
    wrong = number % 7 == 0
    said = {"a": "x", "b": "y" if wrong else "x", "c": "y" if wrong else "z"}
    found = manifest(*(juror(name) for name in said), tally(**said), labels={"team": "blue"})
    found.tallies[0].leader = "x"
    found.request_id = f"r-{number}"
    return found


async def recorded(path):
    async with open_ledger(path) as ledger:

        async def one(number):
            found = ended(number)
            await ledger.begin(found, fingerprint="f")
            await ledger.finish(AskResponse(request_id=found.request_id, manifest=found))
            await ledger.add_feedback(found.request_id, Feedback(score=1.0))

        await asyncio.gather(*map(one, range(N)))


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("filled")
    (folder / "gremium.yaml").write_text(TEXT)
    asyncio.run(recorded(folder / "ledger.sqlite"))
    return folder


@pytest.fixture
def run(monkeypatch, filled, capsys):
    """Run `gremium`: exit code and output."""
    monkeypatch.chdir(filled)

    def ran(*arguments):
        monkeypatch.setattr("sys.argv", ["gremium", *arguments])
        with pytest.raises(SystemExit) as ended:
            command.main()
        found = capsys.readouterr()
        return ended.value.code, found.out + found.err

    return ran


def test_figures_advice_and_diff_are_told(run):
    code, out = run("report")

    assert 0 == code
    assert f"everyday (jury): {N} requests" in out
    assert "kitchen sink?    kitchen sink: a alone comes to the same in 100.0% of 210" in out
    assert "1. everyday: a alone comes to the same" in out
    assert "-      - model: b\n" in out


def test_the_diff_can_be_patched_in(run, require, filled, tmp_path):
    require("patch")
    _, out = run("report", "--json")
    (tmp_path / "gremium.yaml").write_text(TEXT)

    subprocess.run(
        [shutil.which("patch"), "-p0"],
        input=json.loads(out)["diff"],
        cwd=tmp_path,
        text=True,
        check=True,
        capture_output=True,
        timeout=10,
    )

    after = (tmp_path / "gremium.yaml").read_text()
    assert "      - model: a # the one\nledger" in after
    assert "everyday: # asked all day" in after


def test_every_figure_has_its_interval_and_its_number(run):
    _, out = run("report", "--json")

    report = json.loads(out)
    (ensemble,) = report["ensembles"]
    (pool,) = ensemble["pools"]
    assert N == report["requests"] == pool["labelled"]
    assert {"n", "needed", "value", "low", "high"} == pool["sink"]["same"].keys()
    assert (1.0, N) == (pool["sink"]["same"]["value"], pool["sink"]["same"]["n"])
    assert ["ONE_JUROR_IS_ENOUGH", "ERRORS_TOGETHER"] == [each["code"] for each in report["advice"]]


@pytest.mark.parametrize(
    ("option", "count"),
    [
        (("--labels", "team=blue"), N),
        (("--labels", "team=red"), 0),
        (("--ensemble", "everyday"), N),
        (("--since", "7d"), 0),
    ],
)
def test_requests_are_narrowed_down(run, option, count):
    _, out = run("report", "--json", *option)

    assert count == json.loads(out)["requests"]


def test_an_ensemble_that_neither_ledger_nor_configuration_has_is_named(run):
    code, out = run("report", "--ensemble", "nope")

    assert (1, True) == (code, "no ensemble 'nope'; there are: everyday [UNKNOWN_ENSEMBLE]" in out)


def test_the_diff_names_the_file_from_here(run, filled):
    _, out = run("report", "--config", str(filled / "gremium.yaml"))

    assert "--- gremium.yaml\n" in out


def test_without_any_request_it_says_so(run):
    code, out = run("report", "--since", "1m")

    assert 0 == code
    assert "no request has ended in this time" in out


def test_the_page_is_written(run, tmp_path):
    _, out = run("report", "--html", str(tmp_path / "report.html"))

    assert f"written to {tmp_path / 'report.html'}" in out
    assert "kitchen sink" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize("given", ["team", "=blue"])
def test_a_label_without_a_value_is_refused(run, given):
    code, out = run("report", "--labels", given)

    assert 1 == code
    assert "is not of the form KEY=VALUE" in out


def test_a_missing_ledger_is_named(run, tmp_path):
    code, out = run("report", str(tmp_path / "none.sqlite"))

    assert 1 == code
    assert f"there is no ledger {tmp_path / 'none.sqlite'}" in out


def test_the_lint_warns_of_jurors_whose_errors_move_together(run, tmp_path):
    _, out = run("report", "--json")
    (tmp_path / "report.json").write_text(out)

    code, out = run("lint", "--report", str(tmp_path / "report.json"))

    assert 0 == code
    assert "ensembles.everyday.jurors: b and c hardly count as two" in out
    assert "[ERRORS_TOGETHER]" in out
    assert "a and b hardly" not in out


def test_without_a_report_the_lint_goes_by_the_ledger(run):
    _, out = run("lint")

    assert "ensembles.everyday.jurors: b and c hardly count as two" in out
    assert "a and b hardly" not in out


def test_what_is_no_ledger_is_not_the_lints_matter(run, tmp_path):
    (tmp_path / "gremium.yaml").write_text(TEXT)
    (tmp_path / "ledger.sqlite").write_text("no ledger")

    code, out = run("lint", str(tmp_path / "gremium.yaml"))

    assert 0 == code
    assert "ERRORS_TOGETHER" not in out


def test_a_pair_that_sits_together_no_more_is_no_finding(run, tmp_path):
    _, out = run("report", "--json")
    (tmp_path / "report.json").write_text(out)
    (tmp_path / "other.yaml").write_text(TEXT.replace("      - model: c\n", ""))

    _, out = run("lint", str(tmp_path / "other.yaml"), "--report", str(tmp_path / "report.json"))

    assert "ERRORS_TOGETHER" not in out


@pytest.mark.parametrize("text", ["", "[]", '{"ensembles": 3}'])
def test_a_file_that_is_no_report_is_refused(run, tmp_path, text):
    (tmp_path / "report.json").write_text(text)

    code, out = run("lint", "--report", str(tmp_path / "report.json"))

    assert 1 == code
    assert str(tmp_path / "report.json") in out
