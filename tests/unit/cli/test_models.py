"""`gremium models` tells the roster always, and of the mesh what can be known."""

import json

import pytest

from services.cli import __main__ as command
from services.cli import state
from services.cli.stages import StageState, stage_table, unreached
from services.cli.state import Running
from tests.running import free_port

CONFIG = """\
version: 1
models:
  own: {backend: openai, model: own, family: test, timeout_s: 5}
ensembles:
  default: {pattern: jury, jurors: [{model: own}]}
"""


@pytest.fixture
def nobody():
    """An address where nobody listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def run(monkeypatch, capsys, tmp_path, nobody):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GREMIUM_ADDRESS", raising=False)
    monkeypatch.setattr(state, "DEFAULT_BIND", nobody)
    (tmp_path / "gremium.yaml").write_text(CONFIG)

    def run(*arguments):
        monkeypatch.setattr("sys.argv", ["gremium", "models", *arguments])
        with pytest.raises(SystemExit) as ended:
            command.main()
        told = capsys.readouterr()
        return ended.value.code, told.out, told.err

    return run


def test_json_has_the_roster_and_no_stages_where_no_mesh_runs(run):
    code, out, err = run("--json")

    told = json.loads(out)
    assert (0, "") == (code, err)
    assert {"models", "stages", "replicas", "missing"} == told.keys()
    assert (["own"], []) == ([each["name"] for each in told["models"]], told["stages"])


def test_people_are_told_that_no_mesh_runs(run):
    code, out, _ = run()

    assert (0, True) == (code, "no mesh runs here: `gremium up` starts one" in out)


def test_a_named_mesh_that_does_not_answer_is_an_error_beside_the_roster(run, nobody):
    code, out, err = run("--json", "--address", nobody)

    told = json.loads(out)
    assert ["own"] == [each["name"] for each in told["models"]]
    assert {"gateway": False, "router": None}.items() <= {
        each["name"]: each["serving"] for each in told["stages"]
    }.items()
    assert {None} == {each["calls"] for each in told["stages"]}
    assert (1, True) == (code, f"error: the gateway at {nobody} does not answer" in err)


def test_a_mesh_of_this_folder_that_does_not_answer_is_an_error(run, nobody, tmp_path):
    router = {"router": {"address": nobody, "pid": 1}}
    state.write(Running(gateway=nobody, config="c", services=router), tmp_path)

    code, out, err = run()

    assert (1, 2) == (code, out.count("not there"))
    assert f"error: the gateway at {nobody} does not answer" in err


def test_a_gateway_that_serves_is_reached():
    assert (
        unreached([StageState("router", "", serving=None), StageState("gateway", "a", True)])
        is None
    )


def test_what_is_not_known_is_left_blank_and_no_zero():
    table = stage_table(
        [StageState("gateway", "a", True), StageState("jury", "b", False, 7, 3, "R")]
    )

    rows = list(zip(*(column.cells for column in table.columns), strict=True))
    assert ("gateway", "a", "serving", "", "", "") == rows[0]
    assert ("jury", "b", "not there", "7", "3", "R") == rows[1]
