"""Whom a stage may have asked before it was lost."""

from gremium.v1 import types_pb2
from services.core.lease import Lease
from services.gateway.losses import duel_seats
from tests.cases import jury_case

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
    return [seat.model for seat in duel_seats(asked, judge, answers, lease)]


def test_every_judge_of_a_pair_may_have_been_asked_in_both_orders():
    assert ["first", "second"] * 2 == seats()


def test_a_judge_of_an_authors_family_was_not_asked():
    assert ["second"] * 2 == seats(families=("gpt", "claude"))


def test_no_more_were_asked_than_the_lease_allows():
    assert 3 == len(seats(lease=Lease(model_calls=3)))
