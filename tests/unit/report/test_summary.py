"""A report is of each ensemble by name, its juries, and nothing that is not among its requests."""

from dataclasses import replace

import pytest

from services.report.summary import pool_figures, summarised
from tests.unit.report.test_routing import shadow
from tests.unit.report.voting import ballots, request, vote


def test_of_nothing_there_is_nothing():
    report = summarised([], [])

    assert (0, 0.0, ()) == (report.n, report.usd, report.ensembles)


def test_ensembles_come_by_name_with_their_own_requests_and_shadows():
    rows = [request(i, ensemble="b" if i % 3 else "a") for i in range(90)]
    report = summarised(rows, [shadow(i, ensemble="b") for i in range(30)])

    assert [("a", 30), ("b", 60)] == [(each.name, each.n) for each in report.ensembles]
    first, second = report.ensembles
    assert first.routing.over.insufficient
    assert 30 == second.routing.over.n


def test_the_time_that_it_covers_is_told():
    report = summarised([request(5), request(1), request(9)], [], since_s=7.0)

    assert (7.0, 1_000_001.0, 1_000_009.0) == (report.since_s, report.first_s, report.last_s)


def test_ends_are_counted_the_most_frequent_first():
    rows = [request(i, outcome="REJECTED" if i < 3 else "ANSWERED") for i in range(10)]

    (ensemble,) = summarised(rows, []).ensembles

    assert [("ANSWERED", 7), ("REJECTED", 3)] == list(ensemble.outcomes.items())


def test_a_tier_of_one_juror_is_no_jury():
    rows = [request(i, votes=(vote({"a": "x"}),)) for i in range(40)]

    assert () == summarised(rows, []).ensembles[0].pools


def test_every_tier_with_several_jurors_is_a_jury_of_its_own():
    small = replace(vote({"a": "x", "b": "y"}), tier="small")
    large = replace(vote({"c": "x", "d": "x"}), tier="large")
    rows = [request(i, votes=(small, large)) for i in range(40)]

    pools = summarised(rows, []).ensembles[0].pools

    assert ["thrifty/large", "thrifty/small"] == [pool.name for pool in pools]
    assert [0.0, 1.0] == [pool.divided.value for pool in pools]


def test_prose_tells_of_divergence_and_not_of_pairs():
    prose = vote({"a": "x", "b": "y"}, prose=True, divergence=0.4)
    rows = [request(i, votes=(prose,)) for i in range(40)]

    (pool,) = summarised(rows, []).ensembles[0].pools

    assert pytest.approx(0.4) == pool.divergence.value
    assert 40 == pool.prose
    assert 0 == pool.pairs[0].disagreement.n


def test_votes_are_divided_where_not_all_said_the_same():
    pool = pool_figures(ballots(["xxx"] * 30 + ["xxy"] * 10 + ["x--"] * 5), ensemble="e")

    assert (0.25, 40) == (pool.divided.value, pool.divided.n)


def test_pairs_are_all_pairs():
    pool = pool_figures(ballots(["xyz"] * 40), ensemble="e")

    assert [("a", "b"), ("a", "c"), ("b", "c")] == [(p.first, p.second) for p in pool.pairs]
    assert [1.0] * 3 == [pair.disagreement.value for pair in pool.pairs]


def test_a_jury_is_told_of_whom_it_seats_now():
    said = vote({"a": "x", "b": "x", "c": "y"})
    rows = [request(i, ensemble="e", pattern="jury", votes=(said,)) for i in range(40)]

    (pool,) = summarised(rows, [], seats={"e": {"": frozenset("abd")}}).ensembles[0].pools

    assert (("a", "b"), ("c",)) == (pool.jurors, pool.gone)
    assert (40, 0.0) == (pool.whole, pool.divided.value)


def test_worth_goes_by_truth_where_it_is_known_of_enough():
    told, untold = ballots(["xxy"] * 40, ["110"] * 40), ballots(["xxy"] * 40)

    by_truth, by_outcome = (pool_figures(each, ensemble="e") for each in (told, untold))

    assert ("truth", "outcome") == (by_truth.worth_by, by_outcome.worth_by)
    assert [0.5, 0.5, 0.0] == pytest.approx([each.worth.value for each in by_truth.members])
    assert 1.0 == pytest.approx(sum(each.worth.value for each in by_outcome.members))


def test_prompts_are_told_apart_by_domain():
    rows = [request(i, domain="law" if i % 2 else "code") for i in range(80)]

    (ensemble,) = summarised(rows, [shadow(i) for i in range(80)]).ensembles

    assert [("code", 40), ("law", 40)] == [(each.name, each.over.n) for each in ensemble.domains]
