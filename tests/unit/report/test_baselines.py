"""A router is held against chance, the longest prompts and either tier alone, at its own price."""

from dataclasses import replace

import numpy as np
import pytest

from services.report.baselines import choices_of
from services.report.routing import routing_of
from services.report.shadows import Shadow
from tests.unit.report.voting import request

CHEAP, DEAR = 0.01, 0.05


class World:
    """Prompts of which everything is known; the dearer tier is right wherever the cheaper one is.

    Where both are wrong they say the same.
    """

    def __init__(self, n, *, skill, propensity=0.5, seed=0):
        rng = np.random.default_rng(seed)
        self.hard = rng.random(n)
        self.cheap = rng.random(n) > 0.8 * self.hard
        self.dear = self.cheap | (rng.random(n) < 0.6)
        seen = skill * self.hard + (1.0 - skill) * rng.random(n)
        self.at_dear = seen > np.quantile(seen, 0.6)
        self.shadowed = self.at_dear & (rng.random(n) < propensity)
        self.propensity, self.seen = propensity, seen

    @property
    def requests(self):
        return [self._request(i) for i in range(len(self.hard))]

    def _request(self, i):
        tier, usd = ("large", DEAR) if self.at_dear[i] else ("small", CHEAP)
        right = self.dear[i] if self.at_dear[i] else self.cheap[i]
        return request(
            i,
            tiers=(tier,),
            tier_usd={tier: usd},
            quality=float(right),
            tokens={tier: int(1 + 1_000 * self.hard[i])},
            adequacy={"small": 1.0 - self.seen[i]},
        )

    @property
    def shadows(self):
        return [self._shadow(i) for i in np.flatnonzero(self.shadowed)]

    def _shadow(self, i):
        return shadow(
            i,
            enough=bool(self.cheap[i] == self.dear[i]),
            propensity=self.propensity,
            tokens=int(1 + 1_000 * self.hard[i]),
        )

    def value(self, at_dear):
        return np.where(at_dear, self.dear, self.cheap).mean()

    @property
    def chance(self):
        share = self.at_dear.mean()
        return share * self.dear.mean() + (1.0 - share) * self.cheap.mean()


def shadow(number, **changed):
    told = {
        "request_id": f"r-{number}",
        "ensemble": "thrifty",
        "used": "large",
        "cheaper": "small",
        "propensity": 1.0,
        "enough": True,
        "method": "ballots",
        "used_usd": DEAR,
        "cheaper_usd": CHEAP,
        "spent_usd": CHEAP,
        "start_s": 0.0,
    }
    return Shadow(**{**told, **changed})


def choice(world):
    (found,) = choices_of(world.requests, world.shadows)
    return found


def rules(found):
    return {each.name: each for each in found.rules}


@pytest.mark.parametrize("seed", range(4))
def test_every_rule_is_worth_what_it_would_have_been(seed):
    world = World(4_000, skill=0.7, seed=seed)
    found = choice(world)

    told = rules(found)
    assert told["router"].right.low <= world.value(world.at_dear) <= told["router"].right.high
    assert pytest.approx(world.chance, abs=0.03) == told["chance"].right.value
    assert pytest.approx(world.cheap.mean(), abs=0.03) == told["cheaper"].right.value
    assert pytest.approx(world.dear.mean(), abs=0.03) == told["dearer"].right.value
    assert pytest.approx(world.dear.mean(), abs=0.03) == told["hindsight"].right.value
    assert (
        found.over_chance.low <= world.value(world.at_dear) - world.chance <= found.over_chance.high
    )


def test_chance_and_length_cost_what_the_router_did():
    told = rules(choice(World(2_000, skill=0.7)))

    cost = pytest.approx(told["router"].usd.value)
    assert [cost, cost] == [told["chance"].usd.value, told["length"].usd.value]
    assert pytest.approx(CHEAP) == told["cheaper"].usd.value
    assert pytest.approx(DEAR) == told["dearer"].usd.value
    assert told["hindsight"].usd.value < told["router"].usd.value


def test_a_router_with_skill_beats_chance_and_one_without_does_not():
    skilled, blind = choice(World(4_000, skill=1.0)), choice(World(4_000, skill=0.0))

    assert skilled.over_chance.low > 0.0
    assert blind.over_chance.low <= 0.0 <= blind.over_chance.high
    assert blind.over_length.high < 0.0


def test_sending_the_longest_prompts_is_no_better_than_length():
    found = choice(World(1_000, skill=1.0, propensity=1.0))

    assert pytest.approx(0.0, abs=1e-9) == found.over_length.value
    assert pytest.approx(0.0, abs=1e-4) == found.order_gain.value


def test_predictions_are_told_by_how_they_order_what_the_cheaper_tier_gets_right():
    found = choice(World(4_000, skill=0.5))

    assert found.order.low > 0.5
    assert found.order_by_length.value > found.order.value
    assert found.order_gain.high < 0.0


def test_a_request_that_moved_on_tells_of_both_tiers():
    world = World(400, skill=0.7, propensity=1.0)
    moved = [
        request(
            1_000 + i,
            tiers=("small", "large"),
            tier_usd={"small": CHEAP, "large": DEAR},
            quality=1.0,
        )
        for i in range(400)
    ]
    (found,) = choices_of([*world.requests, *moved], world.shadows)

    told, alone = rules(found), rules(choice(world))
    assert pytest.approx((alone["cheaper"].right.value + 1.0) / 2.0) == told["cheaper"].right.value
    assert pytest.approx((CHEAP + CHEAP + DEAR) / 2.0) == told["cheaper"].usd.value
    assert pytest.approx(DEAR) == told["dearer"].usd.value
    assert 800 == found.n


def test_shadows_stand_for_all_requests_that_went_the_same_way():
    whole, half = World(2_000, skill=0.7, propensity=1.0), World(2_000, skill=0.7, propensity=0.5)

    found, sparse = choice(whole), choice(half)

    assert found.n == 2_000 > sparse.n
    assert pytest.approx(0.6) == found.supposed == pytest.approx(sparse.supposed)
    assert pytest.approx(found.rules[0].usd.value) == sparse.rules[0].usd.value


def test_who_differs_from_a_wrong_answer_may_be_right():
    world = World(600, skill=0.7, propensity=1.0)
    wrong = [replace(each, quality=0.0) for each in world.requests]
    differ = [replace(each, enough=False) for each in world.shadows]

    (found,) = choices_of(wrong, differ)

    told = rules(found)
    assert (0.0, 0.0) == (told["router"].right.low, told["router"].right.high)
    assert pytest.approx(0.4 * 0.5) == told["cheaper"].right.value
    assert 0.0 == told["cheaper"].right.low
    assert told["cheaper"].right.high > 0.4
    assert found.over_chance.value < 0.0


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"method": "judge", "enough": False}, id="found worse by a judge"),
        pytest.param({"method": "", "enough": False}, id="gave no answer"),
        pytest.param({"enough": True}, id="the same"),
    ],
)
def test_who_is_no_better_than_a_wrong_answer_is_wrong(changed):
    world = World(600, skill=0.7, propensity=1.0)
    wrong = [replace(each, quality=0.0) for each in world.requests]

    (found,) = choices_of(wrong, [replace(each, **changed) for each in world.shadows])

    assert [(0.0, 0.0)] * 6 == [(each.right.value, each.right.high) for each in found.rules]


def test_a_free_cheaper_tier_has_a_price_beside_it_all_the_same():
    world = World(600, skill=0.7, propensity=1.0)
    free = [
        replace(
            each, tier_usd={tier: usd * (tier == "large") for tier, usd in each.tier_usd.items()}
        )
        for each in world.requests
    ]

    (found,) = choices_of(free, [replace(each, cheaper_usd=0.0) for each in world.shadows])

    told = rules(found)
    assert pytest.approx(DEAR) == told["dearer"].usd.value
    assert 0.0 == told["cheaper"].usd.value
    assert pytest.approx([0.4 * DEAR] * 2) == [
        told[name].usd.value for name in ("chance", "length")
    ]


def test_of_too_few_nothing_is_told_but_how_many_there_are():
    world = World(70, skill=0.7, propensity=1.0)

    found = choice(world)

    assert found.over_chance.insufficient
    assert 28 == found.over_chance.n


def test_without_truth_nothing_is_told():
    world = World(400, skill=0.7)
    silent = [replace(each, quality=None) for each in world.requests]

    (found,) = choices_of(silent, world.shadows)

    assert (0, 0.0) == (found.n, found.supposed)
    assert all(each.right.insufficient for each in found.rules)


def test_without_lengths_there_is_no_rule_by_length():
    world = World(400, skill=0.7)
    unknown = [replace(each, tokens={}) for each in world.requests]

    (found,) = choices_of(unknown, [replace(each, tokens=0) for each in world.shadows])

    assert "length" not in rules(found)
    assert found.over_length.insufficient
    assert not found.over_chance.insufficient


def test_a_cascade_asks_by_answers_and_not_by_prompts():
    world = World(400, skill=0.7)
    rows = [replace(each, pattern="cascade") for each in world.requests]

    assert () == routing_of(rows, world.shadows).choices


def test_where_every_request_costs_the_same_chance_has_no_price():
    world = World(400, skill=0.7)
    level = [replace(each, tier_usd=dict.fromkeys(each.tier_usd, DEAR)) for each in world.requests]

    (found,) = choices_of(level, [replace(each, cheaper_usd=DEAR) for each in world.shadows])

    assert found.over_chance.insufficient
    assert not rules(found)["router"].right.insufficient
