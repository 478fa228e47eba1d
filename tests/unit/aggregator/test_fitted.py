"""A fitted vote goes by what was learned of its jurors, and says how likely it is right."""

import math

import pytest

from gremium.v1 import aggregator_pb2
from services.core.canonical import NO_CALL
from services.core.errors import InvalidRequestError
from tests.unit.aggregator.serving import LABELS, NOW, TEXT, aggregate, answers, calling

FITTED = aggregator_pb2.FittedVote(slope=1.0, n_labels=200, calibration_id="c0ffee")
LOG_ODDS = aggregator_pb2.AGGREGATION_METHOD_LOG_ODDS


def fitted(**fields):
    known = aggregator_pb2.FittedVote()
    known.CopyFrom(FITTED)
    known.MergeFrom(aggregator_pb2.FittedVote(**fields))
    return known


def weights(*values, alone=(), priors=()):
    listed = [
        aggregator_pb2.JurorWeight(juror=f"j{i}", weight=value) for i, value in enumerate(values)
    ]
    for weight, value in zip(listed, alone, strict=False):
        weight.alone = value
    for weight, value in zip(listed, priors, strict=False):
        weight.prior = value
    return listed


async def counted(servicer, *texts, form=LABELS, **fields):
    return (await aggregate(servicer, answers(*texts), form, **fields)).tally


async def test_a_juror_of_weight_outvotes_two(servicer):
    tally = await counted(servicer, "A", "B", "B", weights=weights(3, 1, 1), fitted=fitted())

    assert ("logit", ["j0"]) == (tally.method, list(tally.classes[0].jurors))


async def test_says_how_likely_each_class_is_right_and_that_none_is(servicer):
    tally = await counted(servicer, "A", "B", weights=weights(2, 1), fitted=fitted(none_score=0.5))

    total = math.exp(2) + math.exp(1) + math.exp(0.5)
    assert pytest.approx(math.exp(2) / total) == tally.p_correct.value
    assert pytest.approx(math.exp(1) / total) == tally.classes[1].p_correct.value
    assert pytest.approx(math.exp(0.5) / total) == tally.p_none


async def test_names_the_calibration_and_what_stands_behind_it(servicer):
    told = (await counted(servicer, "A", weights=weights(2), fitted=fitted())).p_correct

    assert (True, "c0ffee", 200) == (told.calibrated, told.calibration_id, told.support)


async def test_with_few_labels_is_uncalibrated(servicer):
    few = aggregator_pb2.FittedVote(slope=1.0, n_labels=49, calibration_id="c0ffee")

    assert not (await counted(servicer, "A", weights=weights(2), fitted=few)).p_correct.calibrated


async def test_maps_the_posterior_to_what_was_observed(servicer):
    plain = await counted(servicer, "A", "B", weights=weights(2, 1), fitted=fitted())
    odds = plain.p_correct.value / (1 - plain.p_correct.value)

    mapped = await counted(servicer, "A", "B", weights=weights(2, 1), fitted=fitted(offset=0.7))

    expected = odds * math.exp(0.7) / (1 + odds * math.exp(0.7))
    assert pytest.approx(expected) == mapped.p_correct.value
    every = mapped.p_none + sum(found.p_correct.value for found in mapped.classes)
    assert pytest.approx(1.0) == every


async def test_gives_an_interval_around_it(servicer):
    told = (
        await counted(
            servicer, "A", "B", weights=weights(2, 1), fitted=fitted(covariance=[0.01, 0.0, 0.04])
        )
    ).p_correct

    assert told.low < told.value < told.high


async def test_a_covariance_has_three_values(servicer):
    with pytest.raises(InvalidRequestError, match=r"fitted\.covariance"):
        await counted(servicer, "A", fitted=fitted(covariance=[1.0]))


async def test_where_no_two_agree_other_weights_count(servicer):
    known = weights(2, 1, 1, alone=(-1.5, 0.5, 0.0))

    leaders = [
        (await counted(servicer, *texts, weights=known, fitted=fitted())).classes[0].jurors
        for texts in (("A", "B", "C"), ("A", "A", "C"))
    ]

    assert [["j1"], ["j0", "j1"]] == [list(jurors) for jurors in leaders]


async def test_behind_a_closed_gate_the_best_juror_stands(servicer):
    tally = await counted(
        servicer, "A", "B", "B", weights=weights(1, 1, 1), fitted=fitted(best_juror="j0")
    )

    assert (["j0"], ["gate"]) == (list(tally.classes[0].jurors), list(tally.fallback_trail))
    assert tally.consensus, "its ballot stands whatever share the vote would give it"
    assert tally.p_correct.value < tally.classes[1].p_correct.value


async def test_a_best_juror_without_a_ballot_leaves_the_vote(servicer):
    tally = await counted(
        servicer, "unsure", "B", "B", weights=weights(1, 1, 1), fitted=fitted(best_juror="j0")
    )

    assert (["j1", "j2"], []) == (list(tally.classes[0].jurors), list(tally.fallback_trail))


async def test_to_call_no_tool_has_a_prior_of_its_own(servicer):
    given = [*answers("There is no such tool."), calling("j1", "now")]

    async def leader(abstain):
        known = fitted(abstain_score=abstain)
        tally = (await aggregate(servicer, given, TEXT, tools=[NOW], fitted=known)).tally
        return tally.leader == NO_CALL.key

    assert [False, True] == [await leader(-1.0), await leader(1.0)]


async def test_too_little_confidence_is_no_consensus(servicer):
    tally = await counted(
        servicer, "A", "B", weights=weights(2, 0), fitted=fitted(), min_confidence=0.9
    )

    assert not tally.consensus
    assert "90% are needed" in tally.reason_text


@pytest.mark.parametrize("order", [("A", "B"), ("B", "A")])
async def test_equal_scores_are_parted_by_the_prior(servicer, order):
    best = order.index("A")
    known = weights(1, 1, priors=(0.9, 0.6) if best == 0 else (0.6, 0.9))

    tally = await counted(servicer, *order, weights=known, fitted=fitted())

    assert ([f"j{best}"], "prior") == (list(tally.classes[0].jurors), tally.tie_rule)


async def test_without_a_fit_the_probability_is_a_guess_and_says_so(servicer):
    told = (await counted(servicer, "A", "A", "A")).p_correct

    assert not told.calibrated
    assert "" == told.calibration_id
    assert pytest.approx((3 + 1) / 5) == told.value
    assert told.low < told.value < told.high


async def test_priors_weigh_by_their_log_odds(servicer):
    known = weights(1, 1, 1, priors=(0.9, 0.75, 0.7))

    tally = await counted(servicer, "A", "B", "B", weights=known, method=LOG_ODDS)

    assert ("log_odds", ["j1", "j2"]) == (tally.method, list(tally.classes[0].jurors))


async def test_jurors_below_one_half_still_speak_for_their_answer(servicer):
    known = weights(1, 1, 1, priors=(0.45, 0.4, 0.4))

    tally = await counted(servicer, "A", "B", "B", weights=known, method=LOG_ODDS)

    assert ["j1", "j2"] == list(tally.classes[0].jurors)


async def test_a_juror_far_above_the_rest_is_not_outvoted(servicer):
    known = weights(1, 1, 1, priors=(0.9, 0.5, 0.5))

    tally = await counted(servicer, "A", "B", "B", weights=known, method=LOG_ODDS)

    assert (["j0"], ["gate"]) == (list(tally.classes[0].jurors), list(tally.fallback_trail))


async def test_without_a_prior_for_every_juror_each_counts_the_same(servicer):
    known = weights(1, 1, 1, priors=(0.9,))

    tally = await counted(servicer, "A", "B", "B", weights=known, method=LOG_ODDS)

    assert (["j1", "j2"], ["no_priors"]) == (
        list(tally.classes[0].jurors),
        list(tally.fallback_trail),
    )


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"fitted": FITTED}, id="fitted"),
        pytest.param({}, id="plurality"),
        pytest.param({"method": LOG_ODDS}, id="log-odds"),
    ],
)
async def test_the_usual_wording_stands_for_a_class(servicer, how):
    spaced = answers("[1,2]", "[1, 2]", "[1, 2]")
    json_form = aggregator_pb2.AggregateRequest().output_format
    json_form.json.SetInParent()
    likeliest_first = weights(1, 1, 1, priors=(0.8, 0.7, 0.7))

    reply = await aggregate(servicer, spaced, json_form, weights=likeliest_first, **how)

    assert "[1, 2]" == reply.representative.text


@pytest.mark.parametrize(
    ("known", "jurors", "method", "trail"),
    [
        pytest.param({"best_juror": "j0"}, ["j0"], "plurality", ["gate"], id="one stands for all"),
        pytest.param({"best_juror": "j9"}, ["j1", "j2"], "plurality", [], id="it gave no ballot"),
        pytest.param({"log_odds": True}, ["j0"], "log_odds", [], id="priors weigh"),
    ],
)
async def test_for_want_of_a_fit_priors_count(servicer, known, jurors, method, trail):
    by_priors = aggregator_pb2.PriorVote(**known)
    given = weights(1, 1, 1, priors=(0.39, 0.25, 0.25))

    tally = await counted(servicer, "A", "B", "B", weights=given, by_priors=by_priors)

    assert (jurors, method, trail) == (
        [*tally.classes[0].jurors],
        tally.method,
        [*tally.fallback_trail],
    )
    assert not tally.p_correct.calibrated


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"method": LOG_ODDS}, id="as configured"),
        pytest.param({"by_priors": aggregator_pb2.PriorVote(log_odds=True)}, id="few labels"),
    ],
)
@pytest.mark.parametrize("prior", [0.95, 0.6])
async def test_a_juror_without_weight_has_no_vote_by_its_prior(servicer, how, prior):
    given = weights(0, 1, 1, priors=(prior, 0.5, 0.5))

    tally = await counted(servicer, "A", "B", "B", weights=given, **how)

    assert (["j1", "j2"], []) == ([*tally.classes[0].jurors], [*tally.fallback_trail])
    assert 0.0 == tally.classes[1].weight


WEIGHTED = aggregator_pb2.AGGREGATION_METHOD_WEIGHTED


@pytest.mark.parametrize(
    ("texts", "form", "how"),
    [
        pytest.param("AAA", LABELS, {}, id="plurality"),
        pytest.param("AAA", LABELS, {"method": LOG_ODDS}, id="log-odds"),
        pytest.param("AAA", LABELS, {"method": WEIGHTED}, id="weighted"),
        pytest.param(["Bern is it."] * 3, TEXT, {}, id="prose"),
    ],
)
async def test_without_a_fit_a_guess_is_held_against_what_is_needed(servicer, texts, form, how):
    """Three of three that agree are right with .8, as far as anyone can tell."""
    given = weights(1, 1, 1, priors=(0.5, 0.5, 0.5))

    enough, lacking = [
        await counted(servicer, *texts, form=form, weights=given, min_confidence=least, **how)
        for least in (0.79, 0.81)
    ]

    assert (True, "") == (enough.consensus, enough.reason_text)
    told = "the leading class is right with 80%; 81% are needed"
    assert (False, told) == (lacking.consensus, lacking.reason_text)


async def test_every_class_says_what_stands_behind_its_probability(servicer):
    known = fitted(covariance=[0.04, 0.0, 0.04])

    tally = await counted(servicer, "A", "B", "C", weights=weights(2, 1, 0.5), fitted=known)

    told = [each.p_correct for each in tally.classes]
    assert tally.p_correct == told[0]
    assert [(True, "c0ffee", 200)] * 3 == [
        (p.calibrated, p.calibration_id, p.support) for p in told
    ]
    assert all(0.0 < p.low < p.value < p.high < 1.0 for p in told)


async def test_what_the_leader_may_have_less_the_others_get(servicer):
    known = fitted(none_score=-1e5, covariance=[0.0, 0.0, 0.25])

    tally = await counted(servicer, "A", "B", weights=weights(2, 1), fitted=known)

    leader, other = (each.p_correct for each in tally.classes)
    assert (pytest.approx(1 - leader.high), pytest.approx(1 - leader.low)) == (
        other.low,
        other.high,
    )


async def test_behind_a_closed_gate_no_vote_is_taken_that_could_be_tied(servicer):
    equal = weights(1, 1)

    tally = await counted(servicer, "A", "B", weights=equal, fitted=fitted(best_juror="j1"))
    tied = await counted(servicer, "A", "B", weights=equal, fitted=fitted())

    assert (True, "") == (tally.consensus, tally.reason_text)
    assert (False, True) == (tied.consensus, tied.tie)


@pytest.mark.parametrize(
    ("texts", "jurors", "trail"),
    [
        pytest.param(["A", "B", "B"], ["j0"], ["gate"], id="the best gave one"),
        pytest.param(["?", "B", "C"], ["j1"], [], id="the best gave none"),
    ],
)
async def test_by_log_odds_the_best_stands_only_where_it_gave_a_ballot(
    servicer, texts, jurors, trail
):
    given = weights(1, 1, 1, priors=(0.95, 0.5, 0.4))

    tally = await counted(servicer, *texts, weights=given, method=LOG_ODDS)

    assert (jurors, trail) == ([*tally.classes[0].jurors], [*tally.fallback_trail])
    assert tally.classes[0].weight > 0.0
