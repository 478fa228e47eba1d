"""Whom a judge stage may ask, and may have asked before it was lost."""

from dataclasses import replace

import pytest

from gremium.v1 import aggregator_pb2, judge_pb2, manifest_pb2, types_pb2
from services.core.lease import Lease
from services.gateway import estimates, messages
from services.gateway.losses import duel_seats, judge_seats
from tests.cases import cascade_case, jury_case, tier

FAMILIES = {"first": "claude", "second": "gemini"}


def seats(*, lease=Lease(), families=("gpt", "gpt")):  # noqa: B008  a frozen value
    asked = jury_case(judge={"models": ["judge"]})
    spec = asked.models["judge"]
    for name, family in FAMILIES.items():
        asked.models[name] = spec.model_copy(update={"family": family})
    judge = asked.ensemble.judge.model_copy(update={"models": tuple(FAMILIES)})
    answers = [
        types_pb2.Answer(juror=f"j{nth}", text="4", family=family)
        for nth, family in enumerate(families)
    ]
    return [seat.model for seat in duel_seats(asked, judge, answers, lease, tier="jury")]


def test_every_judge_of_a_pair_may_have_been_asked_in_both_orders():
    assert ["first", "second"] * 2 == seats()


def test_a_judge_of_an_authors_family_was_not_asked():
    assert ["second"] * 2 == seats(families=("gpt", "claude"))


def test_no_more_were_asked_than_the_lease_allows():
    assert 3 == len(seats(lease=Lease(model_calls=3)))


def in_a_jury(*, judges=("first", "second")):
    """A tier whose juror `second` is the model `first`, beside a tier of another model."""
    mixed = {"name": "mixed", "jurors": [{"model": "own"}, {"model": "first", "name": "second"}]}
    asked = cascade_case(
        mixed,
        tier("next"),
        accept_at=0.5,
        judge={"models": ["judge"]},
        aggregate={"method": "weighted"},
    )
    for name, family in {"own": "gpt", **FAMILIES}.items():
        asked.models[name] = asked.models["judge"].model_copy(update={"family": family})
    judge = asked.ensemble.judge.model_copy(update={"models": judges})
    return replace(asked, ensemble=asked.ensemble.model_copy(update={"judge": judge}))


ANSWERS = [types_pb2.Answer(juror=name, text="4", family="gpt") for name in ("own", "other")]


@pytest.mark.parametrize(("name", "judges"), [("mixed", ["second"]), ("next", ["first", "second"])])
def test_a_model_of_the_jury_is_recused_whatever_its_juror_is_called(name, judges):
    asked = in_a_jury()
    judge = asked.ensemble.judge
    aggregated = aggregator_pb2.AggregateResponse(
        representative=ANSWERS[0], tally=manifest_pb2.Tally(tier=name)
    )

    verify = messages.verify_request(asked, judge, aggregated, Lease())
    rank = messages.rank_request(asked, judge, ANSWERS, Lease(), tier=name)

    assert [judges, judges] == [list(each.judge.models) for each in (verify, rank)]
    recused = [["first"] if name == "mixed" else []] * 2
    assert recused == [list(each.judge.recused) for each in (verify, rank)]
    told = judge_seats(asked, judge, aggregated, Lease())
    duels = duel_seats(asked, judge, ANSWERS, Lease(), tier=name)
    assert [judges, judges * 2] == [[seat.model for seat in each] for each in (told, duels)]
    calls = estimates.verdict_calls(
        asked.ensemble, estimates.reading(asked), tier=name, answer_tokens=1
    )
    assert len(judges) == len(calls)


@pytest.mark.parametrize("fitted", [None, judge_pb2.FittedVerdict(calibration_id="c0ffee")])
def test_evidence_is_told_with_a_promise_and_without(monkeypatch, fitted):
    monkeypatch.setattr(messages, "fitted_verdict", lambda *_: fitted)
    asked, given = in_a_jury(), []
    for name, tier_name, step in (
        ("own", "mixed", ""),
        ("peer", "mixed", ""),
        ("other tier", "next", ""),
        ("other step", "mixed", "s"),
    ):
        given.append(types_pb2.Answer(juror=name, tier=tier_name, step=step))
    aggregated = aggregator_pb2.AggregateResponse(
        representative=given[0], tally=manifest_pb2.Tally(tier="mixed")
    )

    made = messages.verify_request(asked, asked.ensemble.judge, aggregated, Lease(), given=given)

    assert ["peer"] == [each.juror for each in made.peers], "of the same tier and step"
    assert ("mixed", True) == (made.tally.tier, made.HasField("prior"))
    assert (fitted is not None) == made.HasField("fitted")


def test_where_all_judges_are_in_the_jury_nothing_is_kept_for_them():
    asked = in_a_jury(judges=("first",))

    read = estimates.reading(asked)
    assert [] == estimates.verdict_calls(asked.ensemble, read, tier="mixed", answer_tokens=1)
    assert 0.0 == estimates.possible_usd(asked)  # these jurors are free
