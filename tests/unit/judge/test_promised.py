"""A verdict by P(ok) states its promise; whatever is missing leaves no promise and no pass."""

import math

import pytest

from gremium.v1 import judge_pb2, types_pb2
from tests.unit.judge.cases import finding, verdict_json
from tests.unit.judge.judging import FAIL, GOOD, PASS, UNJUDGED, judging, wanted
from tests.upstream import Reply

RECUSED = (
    "in the jury, and so recused: {}; there is no other judge of another family than the answer's"
    " (gpt)"
)


def fitted(threshold=0.7, *, n_labels=120, intercept=-2.0, **coefficients):
    return judge_pb2.FittedVerdict(
        intercept=intercept,
        coefficients=coefficients or {"support": 4.0},
        threshold=threshold,
        alpha=0.1,
        delta=0.05,
        n_labels=n_labels,
        calibration_id="c0ffee",
    )


def asked(fit, *, support=None, peers=(), models=("first",), text="It is 42.", **more):
    request = wanted(text, models=models)
    request.fitted.CopyFrom(fit)
    request.peers.extend(types_pb2.Answer(juror=f"p{i}", text=t) for i, t in enumerate(peers))
    if support is not None:
        found = request.tally.classes.add(key="k", jurors=["a"], share=0.5)
        found.p_correct.value = support
    for name, value in more.items():
        setattr(request, name, value)
    return request


async def verified(request, **script):
    async with judging(**script) as (server, verify):
        return (await verify(request)).verdict, server.calls


async def test_passes_from_the_threshold_on_and_asks_nobody():
    verdict, calls = await verified(asked(fitted(), support=0.9), first=GOOD)

    assert (PASS, 0, True) == (verdict.kind, calls, verdict.promise.guarantee_holds)
    assert verdict.p_ok.value == pytest.approx(1 / (1 + math.exp(-1.6)))
    assert (True, "c0ffee", 120) == (
        verdict.p_ok.calibrated,
        verdict.p_ok.calibration_id,
        verdict.p_ok.support,
    )
    assert (0.7, 0.1, 0.05) == (
        verdict.promise.threshold,
        verdict.promise.alpha,
        verdict.promise.delta,
    )
    assert "wrong at most 10% of the time, by 95% confidence" in verdict.reason_text


async def test_fails_below_the_threshold():
    verdict, calls = await verified(asked(fitted(), support=0.6), first=GOOD)

    assert (FAIL, 0, False) == (verdict.kind, calls, verdict.promise.guarantee_holds)


async def test_names_its_signals_with_what_was_seen():
    fit = fitted(support=1.0, agreement=2.0, prior=0.5)
    peers = ["It is 42.", "It may be 41."]
    verdict, _ = await verified(asked(fit, support=0.8, peers=peers, prior=0.7))

    told = {s.name: s for s in verdict.signals if s.coefficient}
    weights = {name: s.coefficient for name, s in told.items()}
    assert {"agreement": 2.0, "prior": 0.5, "support": 1.0} == weights
    assert "It is 42." == told["agreement"].evidence
    assert [0.7, 0.8] == [told[name].value for name in ("prior", "support")]


@pytest.mark.parametrize("fit", [None, fitted()], ids=["without a fit", "beside it"])
async def test_keeps_signals_that_nothing_weighs(fit):
    request = asked(fit or fitted(), support=0.8, peers=["It is 42.", "It may be 41."], prior=0.7)
    if fit is None:
        request.ClearField("fitted")

    verdict, calls = await verified(request, first=GOOD)

    told = {s.name: (s.value, s.coefficient) for s in verdict.signals}
    assert (0.7, 0.0) == told["prior"]
    assert {"agreement", "peer_numbers", "support"} <= told.keys()
    judged = {"judge": (verdict.score, 0.0)} if fit is None else {}
    assert judged == {name: told[name] for name in told.keys() & {"judge"}}
    assert (fit is None) == (calls == 1)
    assert (fit is not None) == verdict.HasField("promise")


async def test_a_judge_that_gives_no_verdict_leaves_the_other_signals():
    request = asked(fitted(), support=0.8, prior=0.7)
    request.ClearField("fitted")

    verdict, _ = await verified(request, first=Reply("All is well."))

    assert UNJUDGED == verdict.kind
    assert {"prior": 0.7, "support": 0.8} == {s.name: s.value for s in verdict.signals}


@pytest.mark.parametrize(
    ("reply", "reason"), [(GOOD, "NO_PROMISE"), (Reply("All is well."), "VERDICT_NOT_JSON")]
)
async def test_a_missing_signal_leaves_the_answer_unjudged(reply, reason):
    fit = fitted(support=4.0, agreement=4.0)
    verdict, calls = await verified(asked(fit, support=0.9), first=reply)

    assert (UNJUDGED, reason, 1) == (verdict.kind, verdict.unjudged_reason, calls)
    assert [False, False] == [verdict.HasField("p_ok"), verdict.promise.guarantee_holds]


async def test_what_is_missing_is_named():
    fit = fitted(agreement=4.0, numbers=1.0)
    verdict, _ = await verified(asked(fit, support=0.9), first=GOOD)

    assert "nothing is known of agreement, numbers" in verdict.reason_text


async def test_without_a_threshold_nothing_passes():
    verdict, calls = await verified(asked(fitted(None), support=0.99), first=GOOD)

    assert (UNJUDGED, "NO_PROMISE", 1) == (verdict.kind, verdict.unjudged_reason, calls)
    assert [False, False] == [
        verdict.promise.HasField("threshold"),
        verdict.promise.guarantee_holds,
    ]


@pytest.mark.parametrize("fit", [fitted(None), fitted(agreement=4.0)])
async def test_a_judge_may_still_object_where_nothing_can_be_promised(fit):
    reply = Reply(verdict_json(safety=finding(ok=False)))
    verdict, _ = await verified(asked(fit, support=0.99), first=reply)

    assert (FAIL, True) == (verdict.kind, verdict.unsafe)


async def test_few_labels_promise_nothing():
    verdict, _ = await verified(asked(fitted(n_labels=49), support=0.9))

    assert (PASS, False, False) == (
        verdict.kind,
        verdict.p_ok.calibrated,
        verdict.promise.guarantee_holds,
    )


@pytest.mark.parametrize(
    ("support", "kind", "calls"), [(0.0, FAIL, 0), (0.4, PASS, 1), (1.0, PASS, 0)]
)
async def test_asks_a_judge_only_where_its_score_can_turn_the_decision(support, kind, calls):
    fit = fitted(support=6.0, judge=2.0)
    verdict, asked_for = await verified(asked(fit, support=support), first=GOOD)

    assert (kind, calls) == (verdict.kind, asked_for)
    assert verdict.p_ok.low <= verdict.p_ok.value <= verdict.p_ok.high
    nearest = verdict.p_ok.low if kind == PASS else verdict.p_ok.high
    assert calls or nearest == verdict.p_ok.value, "the end that is nearer to the threshold"


async def test_a_judge_that_objects_fails_the_answer():
    fit, reply = fitted(support=6.0, judge=2.0), verdict_json(logic=finding(ok=False, score=0.9))
    verdict, _ = await verified(asked(fit, support=0.4), first=Reply(reply))

    assert (FAIL, 0.0) == (verdict.kind, {s.name: s.value for s in verdict.signals}["judge"])


@pytest.mark.parametrize(
    "text",
    ["All is well.", verdict_json(logic={"evidence": "fine", "pass": True}), '{"score": 1}'],
    ids=["prose", "without its score", "nothing else"],
)
async def test_a_judge_without_a_score_passes_nothing(text):
    fit = fitted(support=6.0, judge=2.0)
    verdict, _ = await verified(asked(fit, support=0.4), first=Reply(text))

    assert (UNJUDGED, False) == (verdict.kind, verdict.HasField("p_ok"))


async def test_a_veto_stands_whatever_the_signals_say():
    verdict, calls = await verified(asked(fitted(), support=1.0, text="6 x 7 = 41"))

    assert (FAIL, 0) == (verdict.kind, calls)


@pytest.mark.parametrize(
    ("peer", "judge"),
    [
        ({"juror": "b", "model": "first", "family": "Claude"}, "second"),
        ({"juror": "first", "model": "m", "family": "llama"}, "first"),
        ({"juror": "b", "model": "first", "family": "llama"}, "first"),
    ],
    ids=["the same model", "a juror called so", "another model served under its name"],
)
async def test_a_judge_that_answered_is_recused_by_what_it_is(peer, judge):
    request = wanted(models=("first", "second"))
    request.peers.add(text="It is 41.", **peer)
    async with judging(first=GOOD, second=GOOD) as (_, verify):
        reply = await verify(request)

    assert [judge] == [p.model for p in reply.participations]


async def test_a_jury_of_all_judges_leaves_the_answer_unjudged():
    request = wanted(models=("first",))
    request.peers.add(juror="b", model="first", family="claude", text="It is 41.")
    verdict, calls = await verified(request, first=GOOD)

    assert (UNJUDGED, "NO_INDEPENDENT_JUDGE", 0) == (verdict.kind, verdict.unjudged_reason, calls)


@pytest.mark.parametrize(
    ("recused", "peer_model", "told"),
    [
        ((), "m", "there is no judge of another family than the answer's (gpt)"),
        (("second",), "m", RECUSED.format("second")),
        (("second",), "first", RECUSED.format("second, first")),
    ],
    ids=["nobody", "by the caller", "by what answered, too"],
)
async def test_who_is_recused_is_told_where_nobody_is_left(recused, peer_model, told):
    request = wanted(models=("own", "first") if peer_model == "first" else ("own",))
    request.judge.recused.extend(recused)
    request.peers.add(juror="b", model=peer_model, family="claude", text="It is 41.")
    verdict, _ = await verified(request, first=GOOD)

    assert ("NO_INDEPENDENT_JUDGE", told) == (verdict.unjudged_reason, verdict.reason_text)
