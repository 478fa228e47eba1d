"""Worth is Shapley's: over all orders of joining, by the rule that the vote is counted by."""

import math
from itertools import permutations

import numpy as np
import pytest

from services.report import shapley
from services.report.figures import mean
from services.report.recount import Recount, right_of
from services.report.shapley import coefficients, worth


def votes(n, jurors, *, seed=0, classes=4, none=0.1):
    """Random ballots, of which the first class is right."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, classes, size=(n, jurors))
    codes[rng.random(codes.shape) < none] = -1
    return codes, codes == 0


def by_hand(codes, right, strength, weights=None):
    """Mean over every order of what each juror changes, counted as juries are."""
    count, jurors = Recount(codes, strength, weights), codes.shape[1]
    total = np.zeros(codes.shape)
    for order in permutations(range(jurors)):
        before = np.zeros(len(codes))
        for many in range(1, jurors + 1):
            now = right_of(count.winners(sorted(order[:many])), right).astype(float)
            total[:, order[many - 1]] += now - before
            before = now
    return total / math.factorial(jurors)


@pytest.mark.parametrize("jurors", [1, 2, 3, 5])
@pytest.mark.parametrize("weights", [None, (2.0, 1.0, 1.0, 0.5, 0.0)])
def test_it_is_the_mean_over_all_orders(jurors, weights):
    codes, right = votes(60, jurors)
    strength = np.linspace(0.4, 0.9, jurors)
    given = None if weights is None else np.array(weights[:jurors])

    expected = by_hand(codes, right, strength, given)

    assert expected == pytest.approx(worth(codes, right, strength, given))


def test_all_shares_add_up_to_what_all_come_to():
    codes, right = votes(500, 9)
    strength = right.mean(axis=0)

    found = worth(codes, right, strength)
    everybody = right_of(Recount(codes, strength).winners(range(9)), right)

    assert everybody == pytest.approx(found.sum(axis=1))


def test_who_says_the_same_shares_alike_and_who_says_nothing_has_none():
    codes = np.array([[0, 0, 1, -1]] * 10)

    found = worth(codes, codes == 0, np.full(4, 0.5)).mean(axis=0)

    assert found[0] == pytest.approx(found[1])
    assert 0.0 == found[3]


def test_two_clones_are_worth_something_though_either_could_go():
    rng = np.random.default_rng(0)
    good = rng.random(400) < 0.9
    codes = np.stack([np.where(good, 0, 1)] * 2 + [np.full(400, 2)], axis=1)

    found = worth(codes, codes == 0, np.array([0.9, 0.9, 0.0])).mean(axis=0)

    assert found[:2] == pytest.approx([good.mean() / 2] * 2)


def test_the_council_of_the_six_has_the_published_powers():
    """Weights 4, 4, 4, 2, 2, 1 and a quota of 12: Luxembourg had no power (Shapley and Shubik)."""
    weights = np.array([4, 4, 4, 2, 2, 1])
    bits = np.arange(64)[:, np.newaxis] >> np.arange(6) & 1
    passes = (bits @ weights >= 12).astype(float)

    found = passes @ coefficients(6)

    assert [14 / 60, 14 / 60, 14 / 60, 9 / 60, 9 / 60, 0.0] == pytest.approx(found)


def test_drawn_orders_come_near_all_of_them(monkeypatch):
    codes, right = votes(2_000, 8)
    strength = np.linspace(0.9, 0.4, 8)
    exact = worth(codes, right, strength)
    monkeypatch.setattr(shapley, "EXACT", 4)
    drawn = worth(codes, right, strength)

    told = [mean(drawn[:, j]) for j in range(8)]
    apart = np.abs(exact.mean(axis=0) - [each.value for each in told])
    errors = np.array([(each.high - each.low) / 4.0 for each in told])
    assert drawn.sum(axis=1) == pytest.approx(exact.sum(axis=1))
    assert (apart < 3.0 * errors).all()


def test_twenty_jurors_are_told_from_drawn_orders():
    codes, right = votes(300, 20)

    found = worth(codes, right, right.mean(axis=0))

    assert (300, 20) == found.shape
    assert (np.abs(found) <= 1.0).all()


def test_of_too_many_prompts_some_are_drawn(monkeypatch):
    monkeypatch.setattr(shapley, "WORK", 2**8)
    monkeypatch.setattr(shapley, "FEWEST_PROMPTS", 20)
    codes, right = votes(100, 3)

    assert (32, 3) == worth(codes, right, right.mean(axis=0)).shape


def test_of_no_prompt_there_is_nothing():
    assert (0, 3) == worth(
        np.zeros((0, 3), dtype=int), np.zeros((0, 3), dtype=bool), np.ones(3)
    ).shape
