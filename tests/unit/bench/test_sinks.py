"""On recorded answers a jury's worth looks as it was published: a knee, and a gap that tells harm."""

import os
import pathlib

import numpy as np
import pytest

from bench.canonical import grades, tasks
from bench.decisions.pools import hard
from bench.decisions.sinks import BIG, CHEAP, CURVE, drawn, read_calls, spearman
from services.report.likeness import effective_votes, mean_correlation
from services.report.recount import Recount, accuracies, greedy, knee

PUBLISHED_BIG = 1.8


@pytest.fixture(scope="module")
def data(require):
    require("data")
    return pathlib.Path(os.environ["GREMIUM_DATA"])


@pytest.fixture(scope="module")
def calls(data):
    recorded = tasks(data / "jury/bfcl_25models.jsonl.gz")
    cheap = CHEAP[:5]
    return recorded, read_calls(recorded, cheap), grades(recorded, cheap, "valid")


def test_five_cheap_models_gain_as_published_up_to_the_fifth(calls):
    _, codes, right = calls
    curve = accuracies(Recount(codes, right.mean(axis=0)), right, range(5))

    assert pytest.approx(CURVE, abs=0.015) == curve
    assert 5 == knee(curve)


def test_choosing_greedily_is_no_worse_than_by_accuracy(calls):
    _, codes, right = calls
    recount = Recount(codes, right.mean(axis=0))
    by_greed = accuracies(recount, right, greedy(recount, right))

    assert (by_greed >= accuracies(recount, right, range(5)) - 1e-9).all()


def test_five_big_models_are_worth_the_published_votes(calls):
    recorded, _, _ = calls

    found = effective_votes(mean_correlation(grades(recorded, BIG, "ok")), 5)

    assert found.low <= PUBLISHED_BIG <= found.high
    assert 1_000 == found.n


def test_random_juries_rank_by_their_gap(data):
    crux = next(hard(data))()
    gaps, gains, votes = drawn(crux, juries=100)

    assert spearman(gaps, gains) < -0.7
    assert spearman(votes, gains) < 0.0
    assert (gains[gaps > 0.2] > 0.0).mean() < 0.16
    assert (gains[gaps < 0.1] > 0.0).mean() > 0.7


def test_ranks_correlate_whatever_the_scale():
    values = np.arange(10.0)

    assert pytest.approx(-1.0) == spearman(values, -(values**3))
