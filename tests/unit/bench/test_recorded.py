"""The bench over recordings grades what was chosen, goes on where it was, and draws what it found."""

import asyncio
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from itertools import pairwise

import pytest
import yaml
from matplotlib import pyplot as plt

from bench import chart, frontier, recorded
from gremium.v1 import ensemble_pb2
from services.config.load import load
from services.models.cassette import Cassette, cassette_key
from tests.unit.models.rosters import prompt

START_LIMIT_S = 60
STOP_LIMIT_S = 60
PRICES = {
    model: {"input_price_per_MTok": 1.0, "output_price_per_MTok": 10.0}
    for model in frontier.FAMILIES
}


def answer(*, score=0.0, cost=0.01, out="a"):
    return {"score": score, "cost": cost, "pt": 10, "ct": 5, "tt": 2, "out": out}


def row(number, **answers):
    models = {model: answer() for model in frontier.FAMILIES} | answers
    return {"id": f"q/{number}", "query": f"Question {number}?", "models": models}


def result(asked="q/1"):
    return {"id": asked, "juror": "gpt-5-mini", "score": 1.0, "usd": 0.5, "calls": 2, "s": 0.1}


@pytest.fixture
def data(tmp_path):
    (tmp_path / "routing").mkdir()
    (tmp_path / "routing/frontier_prices.json").write_text(json.dumps(PRICES))
    return tmp_path


ROWS = [
    row(
        1,
        **{"gpt-5-mini": answer(score=1.0, cost=0.02), "gpt-5.2-high": answer(score=1.0, cost=0.5)},
    ),
    row(2, **{"MiniMax-M2.5": answer(cost=0.001)}),
]


def test_the_oracle_takes_the_cheapest_that_is_right_or_the_cheapest():
    line = recorded.oracle(ROWS)

    assert (0.5, pytest.approx(0.021)) == (line["accuracy"], line["usd"])


def test_each_model_alone_is_as_recorded():
    lines = {line["who"]: line for line in recorded.singles(ROWS)}

    assert (0.5, 0.03) == (lines["gpt-5-mini"]["accuracy"], lines["gpt-5-mini"]["usd"])
    assert 0.0 == lines["claude-opus-4.6-thinking"]["accuracy"]


def test_a_run_goes_on_where_it_was_and_another_configuration_starts_anew(tmp_path, data):
    config = yaml.safe_load(frontier.config(ROWS, data))
    recorded.Kept(tmp_path, "route", config, ROWS).add(result())

    again = recorded.Kept(tmp_path, "route", config, ROWS)
    config["models"]["gpt-5-mini"]["adequacy"] = 0.123
    changed = recorded.Kept(tmp_path, "route", config, ROWS)

    assert (["q/2"], 2) == ([r["id"] for r in again.missing], len(changed.missing))


@pytest.mark.parametrize(
    "torn",
    [
        pytest.param('{"id": "q/', id="cut off"),
        pytest.param('{"id": "q/{"id": "q/2"}\n', id="appended to by an older version"),
        pytest.param('{"id": "q/2", "usd": {}', id="cut off after a brace"),
        pytest.param('{"id": "q/2", "score": 1.0}\n', id="lacks what is needed"),
    ],
)
def test_a_line_that_is_not_sound_is_dropped_and_asked_again(tmp_path, data, torn):
    config = yaml.safe_load(frontier.config(ROWS, data))
    recorded.Kept(tmp_path, "route", config, ROWS).add(result())
    (path,) = tmp_path.glob("route-*.jsonl")
    before = path.read_text()
    path.write_text(before + torn)

    again = recorded.Kept(tmp_path, "route", config, ROWS)
    assert (["q/2"], before) == ([r["id"] for r in again.missing], path.read_text())

    again.add(result("q/2"))
    assert [] == recorded.Kept(tmp_path, "route", config, ROWS).missing


def test_a_last_line_without_its_end_is_kept_and_not_appended_to(tmp_path, data):
    config = yaml.safe_load(frontier.config(ROWS, data))
    recorded.Kept(tmp_path, "route", config, ROWS).add(result())
    (path,) = tmp_path.glob("route-*.jsonl")
    path.write_text(path.read_text().removesuffix("\n"))

    recorded.Kept(tmp_path, "route", config, ROWS).add(result("q/2"))

    assert [] == recorded.Kept(tmp_path, "route", config, ROWS).missing


def test_results_kept_without_their_time_are_counted_and_the_wall_cell_is_empty(tmp_path, data):
    config = yaml.safe_load(frontier.config(ROWS, data))
    kept = recorded.Kept(tmp_path, "route", config, ROWS)
    kept.add(result())
    (path,) = tmp_path.glob("route-*.jsonl")
    older = {key: value for key, value in kept.results[0].items() if key != "since_last_s"}
    path.write_text(f"{json.dumps(older)}\n")

    again = recorded.Kept(tmp_path, "route", config, ROWS)
    again.add(result("q/2"))

    told = recorded.table([recorded.pattern(again)])
    assert "| route | 100.0 % | 100 % | 1.00 | 4 |  | 100 | 100 |" in told


def test_the_mesh_can_be_configured_and_finds_every_recording(tmp_path, data):
    (tmp_path / "gremium.yaml").write_text(frontier.config(ROWS, data))
    frontier.write_cassette(ROWS, tmp_path / "frontier.jsonl")
    config = load(tmp_path / "gremium.yaml").config
    cassette = Cassette(tmp_path / "frontier.jsonl")

    (reply,) = cassette.recordings(cassette_key(prompt("Question 1?"), "gpt-5.2-high"))

    assert (0.5, 2) == (reply.cost_usd, reply.usage.reasoning_tokens)
    assert frontier.FAMILIES.keys() == config.models.keys()
    assert 0.5 == config.models["gpt-5-mini"].adequacy


def test_what_came_of_an_ensemble_is_counted(tmp_path, data):
    config = yaml.safe_load(frontier.config(ROWS, data))
    kept = recorded.Kept(tmp_path, "route", config, ROWS)
    for juror, score in (("gpt-5-mini", 1.0), ("", 0.0)):
        kept.add({**result(), "juror": juror, "score": score})

    line = recorded.pattern(kept)

    assert (0.5, 0.5, 1.0, 4) == (line["accuracy"], line["answered"], line["usd"], line["calls"])
    assert "| route | 50.0 % | 50 % | 1.00 | 4 | 0 | 100 | 100 |" in recorded.table([line])


async def test_wall_time_is_what_passed_while_all_were_asked(tmp_path, data):
    class Stub:
        """Answers the first question at once, and the second late."""

        async def Ask(self, request, timeout):  # noqa: N802, ASYNC109 - as the generated stub has it
            await asyncio.sleep(0.0 if request.request_id.endswith("1") else 0.3)
            return ensemble_pb2.AskResponse()

    config = yaml.safe_load(frontier.config(ROWS, data))
    kept = recorded.Kept(tmp_path, "route", config, ROWS)
    await asyncio.sleep(0.5)  # it does not count: nobody is asked
    began = time.perf_counter()

    await recorded.ask_missing(Stub(), kept, lambda: None)

    passed_s = time.perf_counter() - began
    assert 0.3 <= recorded.pattern(kept)["wall_s"] <= passed_s + 0.001
    again = recorded.Kept(tmp_path, "route", config, ROWS)
    assert recorded.pattern(kept)["wall_s"] == recorded.pattern(again)["wall_s"]


def test_the_chart_is_a_picture(tmp_path):
    lines = [*recorded.singles(ROWS), recorded.oracle(ROWS)]

    chart.draw(lines, tmp_path / "chart.png", questions=len(ROWS))

    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")


def test_no_mark_is_cut_off_or_under_the_legend():
    lines = [*recorded.singles(ROWS), recorded.oracle(ROWS)]
    shown = chart.drawn([*lines, {**lines[0], "accuracy": 1.0}], questions=len(ROWS))
    shown.draw_without_rendering()

    (axes,), (legend,) = shown.axes, shown.legends
    low, high = axes.get_ylim()
    assert low <= -3.0
    assert 103.0 <= high
    assert legend.get_window_extent().y1 <= axes.get_window_extent().y0
    assert 3 == len(legend.get_texts())
    plt.close(shown)


def test_names_of_the_worst_stand_above_the_end_of_the_axis():
    lines = [{"accuracy": share, "usd": 1.0} for share in (0.5, 0.0, 0.0, 0.0)]

    assert [50.0, 8.0, 4.0, 0.0] == chart.heights(lines)


@pytest.mark.parametrize("sign", ["temporary/*/up.log", "kept/*.jsonl"], ids=["starting", "asking"])
def test_who_stops_it_is_told_that_the_next_run_goes_on(tmp_path, data, sign):
    rows = [row(number) for number in range(400)]
    packed = gzip.compress("\n".join(json.dumps(each) for each in rows).encode())
    (data / "routing/frontier_simpleqa.jsonl.gz").write_bytes(packed)
    (tmp_path / "temporary").mkdir()
    command = [sys.executable, recorded.__file__, "--data", str(data), "--questions=200"]
    command += ["--results", str(tmp_path / "kept")]
    env = {**os.environ, "TMPDIR": str(tmp_path / "temporary")}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True) as process:
        until = time.monotonic() + START_LIMIT_S
        while not any(tmp_path.glob(sign)) and time.monotonic() < until:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=STOP_LIMIT_S)

    assert (130, "stopped; the next run goes on where this one was\n") == (process.returncode, told)


def test_names_in_the_chart_stand_one_below_another():
    lines = [{"accuracy": share, "usd": 1.0} for share in (0.2, 0.7, 0.7, 0.69)]

    found = chart.heights(lines)

    assert all(above - below >= chart.GAP for above, below in pairwise(found))
    assert (70.0, 20.0) == (found[0], found[-1])
