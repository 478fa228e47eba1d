"""Advice follows from figures whose whole interval speaks for it, and changes the configuration."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from services.config.tree import Config
from services.report.advice import advised
from services.report.recommend import recommended
from services.report.rows import Audit
from services.report.shadows import Shadow
from services.report.summary import summarised
from tests.unit.report.test_baselines import World
from tests.unit.report.voting import request, vote

TEXT = """\
version: 1
models:
  a: {backend: openai, model: a, family: a, timeout_s: 9}
  b: {backend: openai, model: b, family: b, timeout_s: 9}
  c: {backend: openai, model: c, family: c, timeout_s: 9}
default_ensemble: everyday
ensembles:
  everyday:
    pattern: jury
    jurors: [{model: a}, {model: b}, {model: c}]
    quorum: 2
  thrifty:
    pattern: route
    min_adequacy: 0.9 # from small on
    tiers:
      - {name: small, jurors: [{model: c}]}
      - {name: large, jurors: [{model: a}]}
    judge: {models: [b]}
"""


def advice(requests, shadows=(), text=TEXT):
    return list(advised(summarised(requests, shadows), Config.model_validate(yaml.safe_load(text))))


def codes(found):
    return [each.code for each in found]


def jury(n, said, *, right=None, first=0):
    told = vote(dict(zip("abc", said, strict=True)), right=right)
    return [
        request(first + i, ensemble="everyday", pattern="jury", tiers=("jury",), votes=(told,))
        for i in range(n)
    ]


def test_nothing_is_advised_of_nothing():
    assert [] == advice([])


def test_an_ensemble_that_is_gone_is_left_alone():
    assert [] == advice([request(i, ensemble="gone") for i in range(300)])


def test_where_one_juror_is_enough_the_others_go_and_the_quorum_with_them():
    found = advice(jury(240, "xxy"))

    assert ["ONE_JUROR_IS_ENOUGH"] == codes(found)
    assert "a alone comes to the same in 100.0% (98.4 to 100.0) of 240 requests" in found[0].text
    diff = recommended(TEXT, found, name="gremium.yaml").diff
    assert "+    jurors: [{model: a}]" in diff
    assert "+    quorum: 1" in diff


def test_of_too_few_requests_nothing_is_advised():
    assert [] == advice(jury(199, "xxy"))


def shadow(number, *, enough):
    return Shadow(
        request_id=f"r-{number}",
        ensemble="thrifty",
        used="large",
        cheaper="small",
        propensity=1.0,
        enough=enough,
        method="ballots",
        used_usd=0.05,
        cheaper_usd=0.01,
        spent_usd=0.01,
        start_s=0.0,
    )


def rated(n):
    return [request(i, adequacy={"small": 0.5 + i / (2 * n), "large": 0.95}) for i in range(n)]


def test_a_tier_that_is_too_dear_lowers_the_bar_to_where_the_cheaper_one_held():
    found = advice(rated(200), [shadow(i, enough=i >= 40) for i in range(200)])

    assert ["TOO_DEAR"] == codes(found)
    bar = float(found[0].edits[0].value)
    assert 0.55 < bar < 0.62
    lowest = summarised(rated(200), [shadow(i, enough=i >= 40) for i in range(200)])
    assert bar >= lowest.ensembles[0].routing.adequate_from(0.9)
    moved = sum(each >= bar for each in (0.5 + i / 400 for i in range(200)))
    assert (
        f"At {bar:.2f}, {moved} of 200 of them go to a cheaper tier, which does as well in 9"
        in found[0].text
    )
    assert (
        f"+    min_adequacy: {bar:.2f} # from small on" in recommended(TEXT, found, name="g").diff
    )


def test_one_whose_interval_reaches_below_a_fifth_is_not():
    assert [] == advice(rated(40), [shadow(i, enough=i < 10) for i in range(40)])


def moved(number):
    return request(
        number,
        tiers=("small", "large"),
        tier_usd={"small": 0.02, "large": 0.03},
        in_vain_usd=0.02,
    )


def test_a_first_tier_in_vain_is_to_go():
    found = advice([moved(i) for i in range(100)])

    assert ["TIER_IN_VAIN"] == codes(found)
    assert "-      - {name: small" in recommended(TEXT, found, name="g").diff


def test_in_a_cascade_without_a_judge_the_first_tier_only_confirms():
    text = TEXT.replace("pattern: route", "pattern: cascade").replace("{models: [b]}", "{}")

    assert [] == advice([moved(i) for i in range(100)], text=text)


def audited(n, **changed):
    told = {"passed": True, "reason": "", "kin": False, "good": None}
    audit = Audit(**{**told, **changed})
    return [request(i, audits=(audit,)) for i in range(n)]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        pytest.param({"passed": None, "reason": "NO_PROMISE"}, "UNJUDGED", id="unjudged"),
        pytest.param({"kin": True}, "JUDGE_OF_KIN", id="own family"),
    ],
)
def test_a_judge_that_cannot_be_relied_on_is_told(changed, code):
    assert [code] == codes(advice(audited(60, **changed)))


def test_a_judge_that_says_nothing_of_what_feedback_says_is_told():
    passed = audited(100, good=True) + audited(100, good=False)
    failed = audited(100, good=True, passed=False) + audited(100, good=False, passed=False)

    assert ["JUDGE_DISAGREES"] == codes(advice(passed + failed))


def test_where_checks_alone_are_wanted_it_is_no_news_that_nobody_judges():
    rows = audited(60, passed=None, reason="NO_INDEPENDENT_JUDGE")

    assert [] == advice(rows, text=TEXT.replace("{models: [b]}", "{}"))


def test_a_judge_that_is_fine_is_left_alone():
    rows = audited(100, good=True) + audited(50, good=False, passed=False)

    assert [] == advice(rows)


FIVE = """\
version: 1
models:
  a: {backend: openai, model: a, family: a, timeout_s: 9}
  b: {backend: openai, model: b, family: b, timeout_s: 9}
  c: {backend: openai, model: c, family: c, timeout_s: 9}
  d: {backend: openai, model: d, family: d, timeout_s: 9}
  e: {backend: openai, model: e, family: e, timeout_s: 9}
ensembles:
  everyday:
    pattern: jury
    jurors: [{model: a}, {model: b}, {model: c}, {model: d}, {model: e}]
"""


def misled(n):
    """Three that err apart, and two that make the same mistakes more often than not."""
    rng = np.random.default_rng(0)
    for i in range(n):
        right = dict(zip("abcd", rng.random(4) < [0.8, 0.8, 0.8, 0.4], strict=True))
        right["e"] = right["d"]
        said = {j: "x" if right[j] else "yz"[j in "de"] + j * (j in "abc") for j in right}
        given = max(said.values(), key=list(said.values()).count)
        usd = dict(zip("abcde", (3, 3, 3, 1, 1), strict=True))
        told = vote(said, right=right, given=given, usd=usd)
        yield request(i, ensemble="everyday", pattern="jury", tiers=("jury",), votes=(told,))


def test_of_two_who_mislead_the_vote_together_one_goes_first():
    found = [each for each in advice(misled(800), text=FIVE) if each.code == "HARMFUL_JUROR"]

    assert 1 == len(found)
    assert "less often right with d by -" in found[0].text
    assert "with e by -" in found[0].text
    assert ", then look again at the others." in found[0].text
    assert 1 == len(found[0].edits)


def test_a_router_that_is_no_better_than_chance_is_to_be_trained():
    blind, skilled = World(6_000, skill=0.0), World(6_000, skill=1.0)

    told = [each for each in advice(blind.requests, blind.shadows) if "ROUTER" in each.code]

    assert ["ROUTER_LIKE_CHANCE"] == codes(told)
    assert "no better than chance at the same price" in told[0].text
    level = [replace(each, tokens=dict.fromkeys(each.tokens, 9)) for each in skilled.requests]
    asides = [replace(each, tokens=9) for each in skilled.shadows]
    assert "ROUTER_LIKE_CHANCE" not in codes(advice(level, asides))


def test_nor_is_one_that_goes_by_length_alone():
    world = World(6_000, skill=1.0)

    told = [each for each in advice(world.requests, world.shadows) if "ROUTER" in each.code]

    assert "no better than sending the longest prompts at the same price" in told[0].text
