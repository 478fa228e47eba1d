"""On recorded answers of two models what is told of plain rules is what came of them."""

import gzip
import json
import os
import pathlib

import numpy as np
import pytest

from services.report.baselines import choices_of
from tests.unit.report.test_baselines import CHEAP, DEAR, shadow
from tests.unit.report.voting import request

ALIKE = 0.1
"""Wrong numbers of both that are the same, about as recorded."""


@pytest.fixture(scope="module")
def recorded(require):
    """GSM8K of RouteLLM: whether Mixtral and GPT-4 are right, and how long the question is."""
    require("data")
    path = pathlib.Path(os.environ["GREMIUM_DATA"]) / "routing/routellm_gsm8k.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    told = [(row["weak"], row["strong"], len(row["prompt"])) for row in rows]
    return np.array(told, dtype=float)


SCORES = {
    "chance": lambda _, rng: rng.random(len(_)),
    "length": lambda rows, rng: rows[:, 2] + rng.random(len(rows)),
    "skill": lambda rows, rng: rng.random(len(rows)) + 0.5 * (rows[:, 0] == 0.0),
}
"""How a router chooses."""


def routed(rows, at_dear, rng):
    weak, strong = rows[:, 0] > 0.0, rows[:, 1] > 0.0
    same = (weak & strong) | (~weak & ~strong & (rng.random(len(rows)) < ALIKE))
    asked = [
        request(
            i,
            tiers=("large" if dear else "small",),
            tier_usd={"large": DEAR} if dear else {"small": CHEAP},
            quality=float(strong[i] if dear else weak[i]),
            tokens={"small": int(rows[i, 2])},
        )
        for i, dear in enumerate(at_dear)
    ]
    asides = [
        shadow(i, enough=bool(same[i]), tokens=int(rows[i, 2])) for i in np.flatnonzero(at_dear)
    ]
    (found,) = choices_of(asked, asides)
    return found


@pytest.mark.parametrize("score", SCORES)
def test_rules_are_worth_what_they_were(recorded, score):
    rng = np.random.default_rng(0)
    weak, strong, length = recorded.T
    scores = SCORES[score](recorded, rng)
    at_dear = scores > np.quantile(scores, 0.6)
    longest = length + rng.random(len(length)) / 2.0
    longest = longest > np.quantile(longest, 0.6)

    found = routed(recorded, at_dear, rng)

    def value(dear):
        return np.where(dear, strong, weak).mean()

    drawn = 0.4 * strong.mean() + 0.6 * weak.mean()
    told = {each.name: each.right.value for each in found.rules}
    assert pytest.approx(value(at_dear)) == told["router"]
    assert pytest.approx(drawn, abs=0.015) == told["chance"]
    assert pytest.approx(value(longest), abs=0.015) == told["length"]
    assert pytest.approx(weak.mean(), abs=0.02) == told["cheaper"]
    assert found.over_chance.low <= value(at_dear) - drawn <= found.over_chance.high
    assert (found.over_chance.low > 0.0) == (score != "chance")
