"""Which requests have a shadow, and in which cheaper tier: drawn by chance, as often as is said."""

import numpy as np
import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2, router_pb2, types_pb2
from services.gateway.shadow_draw import cheaper, drawn
from tests.cases import case, jury_case, tier

SHADOW = {"share": 0.2, "judges": ["judge"]}
TIERS = (tier("one"), tier("two"), tier("three"))


def reply(chosen="three", *, asked=(), candidates=(), **fields):
    """A reply whose manifest names those that were asked, and what the router thought of all."""
    parts = [
        manifest_pb2.Participation(stage=manifest_pb2.STAGE_JURY, tier=name)
        for name in (chosen, *asked)
    ]
    manifest = manifest_pb2.Manifest(
        chosen_tier=chosen,
        participations=parts,
        route=router_pb2.RouteDecision(candidates=candidates),
    )
    outcome = fields.pop("outcome", manifest_pb2.OUTCOME_ANSWERED)
    answer = types_pb2.Answer(text="42")
    return ensemble_pb2.AskResponse(outcome=outcome, answer=answer, manifest=manifest, **fields)


def names(asked, answered):
    return [each.name for each in cheaper(asked, answered)]


def test_tiers_before_the_one_that_answered_are_cheaper():
    assert ["one", "two"] == names(case(*TIERS, shadow=SHADOW), reply())
    assert ["one"] == names(case(*TIERS, shadow=SHADOW), reply("two"))
    assert [] == names(case(*TIERS, shadow=SHADOW), reply("one"))


def test_a_tier_that_was_asked_has_shown_what_it_says():
    assert ["two"] == names(case(*TIERS, shadow=SHADOW), reply(asked=["one"]))


def test_a_tier_that_may_not_take_the_prompt_is_left_out():
    rated = [router_pb2.CandidateScore(name="one", eligible=False)]

    assert ["two"] == names(case(*TIERS, shadow=SHADOW), reply(candidates=rated))


def test_a_juror_that_may_not_take_it_is_left_out_of_its_tier():
    barred = router_pb2.Objection(juror="one-0")
    rated = [router_pb2.CandidateScore(name="one", eligible=True, objections=[barred])]
    tiers = (tier("one", seats=3), tier("two"))

    (left,) = cheaper(case(*tiers, shadow=SHADOW), reply("two", candidates=rated))

    assert (["one-1", "one-2"], 2) == (list(left.jurors), left.quorum)


@pytest.mark.parametrize(
    "answered",
    [
        pytest.param(reply(replayed=True), id="told again"),
        pytest.param(reply(outcome=manifest_pb2.OUTCOME_REJECTED), id="rejected"),
        pytest.param(reply("another"), id="of a strange tier"),
    ],
)
def test_has_none(answered):
    assert [] == names(case(*TIERS, shadow=SHADOW), answered)


def test_prose_that_nobody_could_compare_is_not_asked_again():
    of_label = reply()
    asked = case(*TIERS, shadow={"share": 0.2}, judge=None)
    asked.asked.prompt.output_format.labels.labels.extend(["42", "43"])

    assert [] == names(case(*TIERS, shadow={"share": 0.2}, judge=None), of_label)
    assert ["one", "two"] == names(asked, of_label)


def test_a_pattern_without_tiers_has_none():
    assert drawn(jury_case(), reply(), np.random.default_rng(0)) is None


def test_the_draw_is_as_often_as_is_said_and_even_over_the_tiers():
    rng, asked, answered = np.random.default_rng(7), case(*TIERS, shadow=SHADOW), reply()

    draws = [draw for _ in range(2_000) if (draw := drawn(asked, answered, rng))]

    counts = [sum(draw.tier.name == name for draw in draws) for name in ("one", "two")]
    assert {0.1} == {draw.propensity for draw in draws}
    assert [pytest.approx(200, abs=45)] * 2 == counts, "three standard deviations and a bit"


def test_the_same_seed_draws_the_same():
    asked, answered = case(*TIERS, shadow=SHADOW), reply()

    one, two = (np.random.default_rng(3) for _ in range(2))

    told = [[drawn(asked, answered, rng) for _ in range(50)] for rng in (one, two)]
    assert told[0] == told[1]
    assert 0 < sum(draw is not None for draw in told[0]) < 50


def test_a_share_of_nothing_draws_nothing():
    asked = case(*TIERS, shadow={**SHADOW, "share": 0.0})

    assert drawn(asked, reply(), np.random.default_rng(0)) is None
