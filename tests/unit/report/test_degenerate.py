"""Whatever requests are like, each figure is a number within its interval, or is not told."""

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache

import numpy as np
import pytest

from services.cli.report_telling import told
from services.report.figures import Figure
from services.report.page import page
from services.report.plain import report_dict
from services.report.rows import Audit
from services.report.summary import summarised
from tests.unit.report.test_baselines import shadow
from tests.unit.report.voting import request, vote

SIZES = (0, 1, 31, 210)


def agreeing(rng):
    return vote(dict.fromkeys("abc", "x"), right=dict.fromkeys("abc", True))


def wrong(rng):
    return vote(dict.fromkeys("abc", "x"), right=dict.fromkeys("abc", False))


def nobody(rng):
    return vote({}, lost=tuple("abc"))


def unusable(rng):
    return vote(dict.fromkeys("abc", ""), given="", right=dict.fromkeys("abc", False))


def seldom(rng):
    """Right but for once in a hundred; some are cut off, and prose or weights come in between."""
    said = {j: "x" if rng.random() < 0.99 else "y" for j in "abc" if rng.random() < 0.95}
    right = {j: key == "x" for j, key in said.items()}
    plain = vote(said, right=right if rng.random() < 0.7 else None, prose=rng.random() < 0.1)
    return replace(plain, weights={"x": 1.5, "y": 0.5} if rng.random() < 0.5 else {})


def alone(rng):
    return vote({"a": "x"}, right={"a": rng.random() < 0.5})


def free(rng):
    return replace(agreeing(rng), usd=dict.fromkeys("abc", 0.0))


VOTES = (agreeing, wrong, nobody, unusable, seldom, alone, free)


def audit(rng):
    told = [None, True, False]
    return Audit(told[rng.integers(3)], "", told[rng.integers(3)], told[rng.integers(3)])


def row(number, of, rng):
    way = (("small",), ("large",), ("small", "large"), ())[rng.integers(4)]
    return request(
        number,
        pattern=("jury", "route", "cascade")[number % 3 if of is seldom else 1],
        outcome="ANSWERED" if rng.random() < 0.9 else "NO_CONSENSUS",
        tiers=way,
        tier_usd=dict.fromkeys(way, 0.0 if of is free else rng.random()),
        usd=0.0 if of is free else float(rng.random()),
        votes=(of(rng),),
        audits=(audit(rng),),
        domain=("", "law", "code")[rng.integers(3)],
        good=[None, True, False][rng.integers(3)],
        quality=[None, 0.0, 1.0][rng.integers(3)],
        adequacy={"small": 0.5} if rng.random() < 0.8 else {},
        tokens=dict.fromkeys(way, 100),
        stood=1,
        inconsistent=int(rng.random() < 0.2),
    )


@cache
def report(of, n):
    rng = np.random.default_rng(n)
    rows = [row(i, of, rng) for i in range(n)]
    asides = [
        shadow(
            i,
            enough=[None, True, False][rng.integers(3)],
            propensity=float(rng.choice([0.01, 1.0])),
            cheaper_usd=0.0,
            tokens=100,
        )
        for i, each in enumerate(rows)
        if each.tiers == ("large",)
    ]
    return summarised(rows, asides)


def figures(part):
    if isinstance(part, Figure):
        yield part
    elif is_dataclass(part):
        for each in fields(part):
            yield from figures(getattr(part, each.name))
    elif isinstance(part, tuple | list):
        for each in part:
            yield from figures(each)
    elif isinstance(part, Mapping):
        for each in part.values():
            yield from figures(each)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("of", VOTES)
def test_every_figure_is_within_its_interval_or_not_told(of, n):
    found = list(figures(report(of, n)))

    told = [each for each in found if each.value is not None]
    assert all(map(math.isfinite, (end for f in told for end in (f.value, f.low, f.high))))
    assert [] == [each for each in told if not each.low <= each.value <= each.high]
    assert [] == [each for each in told if each.n < each.needed]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("of", VOTES)
def test_it_can_be_read_in_words_as_data_and_as_a_page(of, n):
    found = report(of, n)

    assert list(told(found))
    assert "nan" not in page(found, [], diff="").lower()
    assert "NaN" not in json.dumps(report_dict(found, [], diff=""))
