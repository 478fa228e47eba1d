"""The bench over recordings grades what was chosen, goes on where it was, and draws what it found."""

import asyncio
import json
import time
from itertools import pairwise

import pytest
import yaml

from bench import chart, frontier, recorded
from gremium.v1 import ensemble_pb2
from services.config.load import load
from services.models.cassette import Cassette, cassette_key
from tests.unit.models.rosters import prompt

PRICES = {
    model: {"input_price_per_MTok": 1.0, "output_price_per_MTok": 10.0}
    for model in frontier.FAMILIES
}


def answer(*, score=0.0, cost=0.01, out="a"):
    return {"score": score, "cost": cost, "pt": 10, "ct": 5, "tt": 2, "out": out}


def row(number, **answers):
    models = {model: answer() for model in frontier.FAMILIES} | answers
    return {"id": f"q/{number}", "query": f"Question {number}?", "models": models}


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
    recorded.Kept(tmp_path, "route", config, ROWS).add({"id": "q/1", "score": 1.0})

    again = recorded.Kept(tmp_path, "route", config, ROWS)
    config["models"]["gpt-5-mini"]["adequacy"] = 0.123
    changed = recorded.Kept(tmp_path, "route", config, ROWS)

    assert (["q/2"], 2) == ([r["id"] for r in again.missing], len(changed.missing))


def test_a_line_that_was_cut_off_is_asked_again(tmp_path, data):
    config = yaml.safe_load(frontier.config(ROWS, data))
    recorded.Kept(tmp_path, "route", config, ROWS).add({"id": "q/1"})
    (path,) = tmp_path.glob("route-*.jsonl")
    path.write_text(path.read_text() + '{"id": "q/')

    assert ["q/2"] == [r["id"] for r in recorded.Kept(tmp_path, "route", config, ROWS).missing]


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
        kept.add({"id": "q", "juror": juror, "score": score, "usd": 0.5, "calls": 2, "s": 0.1})

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


def test_names_in_the_chart_stand_one_below_another():
    lines = [{"accuracy": share, "usd": 1.0} for share in (0.2, 0.7, 0.7, 0.69)]

    found = chart.heights(lines)

    assert all(above - below >= chart.GAP for above, below in pairwise(found))
    assert (70.0, 20.0) == (found[0], found[-1])
