"""Stages are told what is known of jurors: by a calibration, else by the `adequacy` that is set."""

from dataclasses import replace

import pytest

from gremium.v1 import ensemble_pb2, types_pb2
from services.calibration.artefact import ConfidenceMap, Declining, Gate, PoolFit
from services.calibration.configured import Match
from services.config.tree import Config
from services.core.deadline import Deadline
from services.gateway.case import Case
from services.gateway.learned import fitted_vote, juror_weight, prior_vote

MODEL = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 5.0}
UNKNOWN = Match(None, "no calibration is configured")


def case(*adequacies, weights=(), **aggregate):
    models = {
        f"m{i}": MODEL if adequacy is None else {**MODEL, "adequacy": adequacy}
        for i, adequacy in enumerate(adequacies)
    }
    jurors = [{"model": name} for name in models]
    for juror, weight in zip(jurors, weights, strict=False):
        juror["weight"] = weight
    main = {"pattern": "jury", "jurors": jurors, "aggregate": aggregate}
    config = Config.model_validate({"models": models, "ensembles": {"main": main}})
    return Case(
        request_id="r",
        asked=ensemble_pb2.AskRequest(),
        name="main",
        ensemble=config.ensembles["main"],
        models=config.models,
        config_sha256="",
        allowed_s=10.0,
        deadline=Deadline.after(10.0),
    )


def told(case):
    (tier,) = case.ensemble.tiers
    weights = [juror_weight(each, case.models[each.model], UNKNOWN) for each in tier.jurors]
    found = prior_vote(case, tier, weights, UNKNOWN)
    return None if found is None else (found.best_juror, found.log_odds)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param(case(0.95, 0.4, 0.4), ("m0", False), id="one is far better"),
        pytest.param(case(0.8, 0.7, 0.7), None, id="none is"),
        pytest.param(case(0.95, None, None), None, id="the others are not known"),
        pytest.param(case(0.95, 0.4, 0.4, weights=(0,)), None, id="who is better is not heard"),
        pytest.param(case(0.95, 0.9, 0.2, weights=(1, 1, 0)), None, id="who is worse is not heard"),
        pytest.param(case(0.95, 0.4, 0.4, method="plurality"), None, id="votes are asked for"),
    ],
)
def test_one_stands_for_all_where_it_is_known_to_be_far_better(asked, found):
    assert found == told(asked)


FIT = PoolFit(
    rule="logit",
    jurors=("m0", "m1"),
    weights=(2.0, 1.0),
    alone=(0.0, 0.0),
    abstaining=(-0.5, 0.0),
    priors=(0.8, 0.6),
    none_score=0.0,
    abstain=-0.1,
    gate=Gate(closed=False, best="m0", quantile=0.01, n=80),
    confidence=ConfidenceMap(),
    n_labels=80,
    metrics={},
)
LEARNED = replace(FIT, declining=Declining(-1.5, (0.25, 0.0)))


@pytest.mark.parametrize(
    ("fit", "how", "score", "added"),
    [
        pytest.param(FIT, {"may_call": True}, -0.1, -0.5, id="to call no tool, as learned"),
        pytest.param(LEARNED, {"may_call": True}, -0.1, -0.5, id="and not as to decline"),
        pytest.param(LEARNED, {}, -1.5, 0.25, id="to decline, as learned"),
        pytest.param(LEARNED, {"abstain_weight": 0.5}, -1.5, 0.25, id="whatever is configured"),
        pytest.param(FIT, {}, 0.0, 0.0, id="not learned: like any answer"),
        pytest.param(FIT, {"abstain_weight": 0.5}, 0.0, -1.0, id="not learned: as configured"),
    ],
)
def test_abstaining_counts_as_learned_for_its_kind_else_as_configured(fit, how, score, added):
    one = case(0.5, 0.5)
    (tier,) = one.ensemble.tiers
    juror = tier.jurors[0]

    weight = juror_weight(juror, one.models[juror.model], Match(fit), **how)
    vote = fitted_vote(fit, calibration_id="c0ffee", may_call=how.get("may_call", False))

    assert (score, added) == (vote.abstain_score, weight.abstaining)


def asking(shape, *, tools=(), **aggregate):
    prompt = types_pb2.Prompt(output_format=shape, tools=tools)
    return replace(case(0.5, **aggregate), asked=ensemble_pb2.AskRequest(prompt=prompt))


NUMBER = types_pb2.OutputFormat(number=types_pb2.NumberFormat())


@pytest.mark.parametrize(
    ("asked", "may"),
    [
        pytest.param(asking(NUMBER), False, id="nobody allows it"),
        pytest.param(asking(NUMBER, may_abstain=True), True, id="the ensemble does"),
        pytest.param(asking(types_pb2.OutputFormat(may_abstain=True)), True, id="the caller does"),
    ],
)
def test_an_answer_may_abstain_where_caller_or_ensemble_allow_it(asked, may):
    before = asked.asked.SerializeToString(deterministic=True)

    assert may == asked.prompt.output_format.may_abstain
    assert asked.asked.prompt.output_format.WhichOneof("kind") == (
        asked.prompt.output_format.WhichOneof("kind")
    )
    assert before == asked.asked.SerializeToString(deterministic=True), "what was asked stays"


def test_only_text_beside_tools_abstains_by_calling_none():
    tools = [types_pb2.Tool(name="now")]
    text = types_pb2.OutputFormat(text=types_pb2.TextFormat())
    shapes = (None, text, NUMBER)

    assert [True, True, False] == [asking(shape, tools=tools).may_call for shape in shapes]
    assert not asking(None).may_call
