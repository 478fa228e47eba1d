"""Figures of each domain are those of its own requests, shadows and votes."""

import pytest

from services.report.domains import domains_of
from tests.unit.report.test_routing import shadow
from tests.unit.report.voting import request, vote

AGREED, SPLIT = vote({"a": "x", "b": "x"}), vote({"a": "x", "b": "y"}, divergence=1.0)


def rows():
    law = [request(i, domain="law", good=i % 2 == 0, votes=(SPLIT,)) for i in range(40)]
    code = [request(40 + i, domain="code", votes=(AGREED,), tiers=("small",)) for i in range(60)]
    moved = [request(100 + i, domain="code", tiers=("small", "large")) for i in range(20)]
    return [*law, *code, *moved]


def test_the_most_frequent_come_first():
    assert [("code", 80), ("law", 40)] == [(each.name, each.n) for each in domains_of(rows(), [])]


def test_each_has_its_own_figures():
    code, law = domains_of(rows(), [])

    assert (0.0, 60) == (code.divided.value, code.divided.n)
    assert (1.0, 40) == (law.divided.value, law.divided.n)
    assert (0.0, 1.0) == (code.divergence.value, law.divergence.value)
    assert (0.25, 0.0) == (code.under.value, law.under.value)
    assert (0.5, 40) == (law.good.value, law.good.n)
    assert code.good.insufficient
    assert {"small": 60, "large": 20} == code.tiers


def test_shadows_count_for_the_domain_of_their_request():
    asides = [shadow(i, enough=i % 4 == 0) for i in range(40)]

    code, law = domains_of(rows(), asides)

    assert (0.25, 40) == (law.over.value, law.over.n)
    assert 0 == code.over.n


def test_prose_and_lone_ballots_divide_nobody():
    told = [vote({"a": "x", "b": "y"}, prose=True, divergence=0.5), vote({"a": "x"})]
    found = [request(i, domain="law" if i else "", votes=tuple(told)) for i in range(41)]

    law, unknown = domains_of(found, [])

    assert (0, 40) == (law.divided.n, law.divergence.n)
    assert pytest.approx(0.5) == law.divergence.value
    assert ("", 1) == (unknown.name, unknown.n)


def test_one_domain_is_none():
    assert [] == domains_of([request(i) for i in range(40)], [])
    assert [] == domains_of([], [])
