"""A jury is a kitchen sink where fewer jurors do as well, and nothing is said of too few requests."""

from dataclasses import replace

import numpy as np
import pytest

from services.report.summary import pool_figures
from tests.unit.report.voting import USD, ballots

N = 240


def found(rows, right=None, **how):
    return pool_figures(ballots(rows, right, **how), ensemble="everyday")


def random_rows(n, accuracy, *, seed=0):
    """Rows and grades of independent jurors, among many classes."""
    rng = np.random.default_rng(seed)
    right = rng.random((n, len(accuracy))) < np.array(accuracy)
    said = np.where(right, "x", rng.choice(list("abcdefghijklmnopqrst"), size=right.shape))
    return ["".join(row) for row in said], ["".join("01"[int(m)] for m in row) for row in right]


def test_one_juror_that_always_comes_to_the_same_is_enough():
    sink = found(["xxy", "yyx", "zzz"] * 80).sink

    assert "kitchen_sink" == sink.kind
    assert "a" == sink.best
    assert (1.0, N) == (sink.same.value, sink.same.n)
    assert pytest.approx(2 * USD * N) == sink.saved_usd.value


def test_of_equal_ones_the_cheapest_is_told():
    assert "b" == found(["xxy"] * N, usd={"a": 0.05, "b": 0.01, "c": 0.01}).sink.best


def test_98_of_100_are_not_enough():
    sink = found(["xxy"] * 235 + ["yxx"] * 5, usd={"a": 0.01, "b": 0.01, "c": 0.01}).sink

    assert "b" == sink.best
    assert "kitchen_sink" == sink.kind

    sink = found((["xxy"] * 49 + ["yxx"]) * 2 + (["xyx"] * 49 + ["yxx"]) * 3).sink

    assert sink.same.value < 0.99
    assert "kitchen_sink" != sink.kind


def test_fewer_than_200_requests_say_nothing():
    sink = found(["xxy"] * 199).sink

    assert "insufficient" == sink.kind
    assert "" == sink.best
    assert sink.saved_usd.insufficient


def test_without_consensus_a_lone_juror_would_have_come_to_something_else():
    rows = ["xxy"] * 100 + ["xyz"] * 140

    assert "kitchen_sink" != found(rows, given=["x"] * 100 + [""] * 140).sink.kind


def test_who_was_mostly_cut_off_is_not_called_the_best():
    sink = found(["xx-"] * 200 + ["xyy"] * 40).sink

    assert sink.best in {"a", "b"}


def test_a_failed_juror_would_have_come_to_nothing():
    rows = ballots(["xx-"] * N)
    lost = [type(v)(**{**_fields(v), "lost": frozenset("c")}) for v in rows.votes]

    members = {
        m.name: m for m in pool_figures(type(rows)(rows.jurors, tuple(lost)), ensemble="e").members
    }

    assert (0.0, N) == (members["c"].same.value, members["c"].same.n)


def _fields(vote):
    return {name: getattr(vote, name) for name in vote.__slots__}


def test_a_wide_gap_condemns_a_plain_vote():
    rows, right = random_rows(600, [0.95, 0.3, 0.3])

    sink = found(rows, right).sink

    assert "kitchen_sink" == sink.kind
    assert sink.gap.value > 0.2
    assert any("points above the mean" in reason for reason in sink.reasons)


@pytest.mark.parametrize(
    ("accuracy", "kind"),
    [
        pytest.param([0.95, 0.6, 0.6], "kitchen_sink", id="23 points"),
        pytest.param([0.9, 0.7, 0.7], "warning", id="13 points"),
        pytest.param([0.8, 0.75, 0.75], "sound", id="3 points"),
    ],
)
def test_the_gap_alone_tells_how_far_a_plain_vote_is_to_be_trusted(accuracy, kind):
    pool = found(*random_rows(2_000, accuracy))

    assert kind == pool.sink.kind, pool.sink.reasons
    assert not any(member.dead for member in pool.members)


def test_a_vote_that_weighs_its_jurors_is_not_condemned_by_their_gap():
    rows = ballots(*random_rows(2_000, [0.95, 0.6, 0.6]))
    weighed = tuple(replace(each, plain=False) for each in rows.votes)

    sink = pool_figures(replace(rows, votes=weighed), ensemble="everyday").sink

    assert "sound" == sink.kind, sink.reasons


def test_equal_jurors_that_err_apart_are_sound():
    rows, right = random_rows(800, [0.7, 0.7, 0.7])

    pool = found(rows, right)

    assert "sound" == pool.sink.kind, pool.sink.reasons
    assert pool.votes.value > 2.7
    assert all(member.adds.low > 0.0 for member in pool.members)


def test_jurors_that_copy_are_dead_weight_and_hardly_two():
    rows, right = random_rows(800, [0.7])

    pool = found([each * 3 for each in rows], [each * 3 for each in right])

    assert all(member.dead for member in pool.members)
    assert all(pair.errors.together for pair in pool.pairs)
    assert pytest.approx(1.0, abs=0.01) == pool.votes.value


def test_a_juror_that_misleads_is_harmful():
    rng = np.random.default_rng(0)
    rows, right = random_rows(800, [0.85, 0.6])
    rows = [row + (row[1] if rng.random() < 0.9 else "q") for row in rows]
    right = [mark + ("1" if row[2] == "x" else "0") for row, mark in zip(rows, right, strict=True)]

    harmful = [member.name for member in found(rows, right).members if member.harmful]

    assert harmful
    assert "a" not in harmful


def test_a_juror_turns_the_vote_where_the_others_are_divided():
    rows, right = ["xxy"] * 120 + ["yxy"] * 120, ["001"] * 120 + ["101"] * 120

    members = {m.name: m for m in found(rows, right).members}

    assert (0.5, 240) == (members["b"].turns.value, members["b"].turns.n)
    assert 0.0 == members["c"].turns.value


def test_what_is_cut_off_is_left_out_of_what_needs_everybody():
    rows, right = random_rows(300, [0.7, 0.7, 0.7])
    rows = [row if i % 2 else row[:2] + "-" for i, row in enumerate(rows)]

    pool = found(rows, right)

    assert 150 == pool.whole
    assert pool.sink.gap.insufficient
    assert 150 == pool.sink.gap.n


def test_who_is_outvoted_by_two_that_err_together_is_no_dead_weight():
    rows, right = ["xxx"] * 120 + ["xyy"] * 120, ["111"] * 120 + ["100"] * 120

    members = {m.name: m for m in found(rows, right).members}

    assert 0.0 == members["a"].adds.high
    assert members["a"].carries
    assert [False, True, True] == [members[j].dead for j in "abc"]


def test_of_equal_jurors_nobody_is_ahead_by_luck():
    gaps = [found(*random_rows(210, [0.7] * 3, seed=seed)).sink.gap for seed in range(30)]

    assert pytest.approx(0.0, abs=0.02) == np.mean([each.value for each in gaps])
    assert np.mean([each.low <= 0.0 <= each.high for each in gaps]) >= 0.85


def test_of_unequal_ones_the_gap_is_what_it_is():
    gaps = [found(*random_rows(210, [0.9, 0.6, 0.5], seed=seed)).sink.gap for seed in range(20)]

    assert pytest.approx(0.9 - 2.0 / 3.0, abs=0.015) == np.mean([each.value for each in gaps])
