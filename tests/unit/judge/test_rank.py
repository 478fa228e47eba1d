"""The judge compares answers in both orders, fairly, and only as far as it is paid."""

import json
from contextlib import asynccontextmanager

import pytest

from gremium.v1 import judge_pb2, manifest_pb2, types_pb2
from judge_svc.compose import composed
from judge_svc.ranking import Comparison, standings
from services.core.deadline import Deadline
from services.core.errors import InvalidRequestError
from services.runtime.local import call_local
from services.runtime.rules import check
from services.runtime.wire import duration_to_wire
from tests.held import MOST_HELD_S, heavy_prompt, most_held_s
from tests.unit.judge.judging import loaded
from tests.upstream import Reply, upstream


def choice(better):
    return Reply(text=json.dumps({"evidence": "seen", "better": better}), delay_s=0.05)


def prefers(*best):
    """A judge model that finds what comes first in `best` better, wherever it is shown."""

    def reply(body):
        text = str(body["messages"][-1]["content"])
        shown = text.partition("ANSWER ONE")[2].partition("ANSWER TWO")
        rank = [next(i for i, word in enumerate(best) if word in part) for part in shown[::2]]
        return choice("one" if rank[0] < rank[1] else "two")

    return reply


@asynccontextmanager
async def ranking(**script):
    async with upstream(script) as server, composed(loaded(server.url), engines={}) as judge:

        async def rank(request, *, left_s=10.0):
            method = "/gremium.v1.JudgeService/Rank"
            reply = await call_local(
                judge.Rank, request, deadline=Deadline.after(left_s), method=method
            )
            check(reply)
            return reply

        yield server, rank


def contest(*texts, models=("first",), families=None, lease=None):
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text="6 x 7?")])
    families = families or ["gpt"] * len(texts)
    return judge_pb2.RankRequest(
        prompt=types_pb2.Prompt(messages=[turn]),
        answers=[
            types_pb2.Answer(juror=f"j{i}", text=text, family=family)
            for i, (text, family) in enumerate(zip(texts, families, strict=True))
        ],
        judge=judge_pb2.JudgeSpec(models=models, timeout=duration_to_wire(5.0)),
        lease=lease,
    )


def told(reply):
    return [(each.juror, each.score, each.comparisons) for each in reply.ranking]


async def test_ranks_by_all_pairs_in_both_orders():
    async with ranking(first=prefers("best", "middle", "worst")) as (server, rank):
        reply = await rank(contest("worst", "best", "middle"))

    assert [("j1", 1.0, 2), ("j2", 0.0, 2), ("j0", -1.0, 2)] == told(reply)
    assert (6, 6) == (server.calls, len(reply.participations))
    assert server.most_running > 1


async def test_a_judge_who_goes_by_the_place_makes_a_tie():
    async with ranking(first=choice("one")) as (_, rank):
        reply = await rank(contest("a", "b"))

    assert [("j0", 0.0, 1), ("j1", 0.0, 1)] == told(reply)
    assert all(each.position_inconsistent for each in reply.ranking)


async def test_equal_answers_are_a_tie_that_nobody_is_asked_about():
    async with ranking(first=choice("one")) as (server, rank):
        reply = await rank(contest("a", "a"))

    assert (0, [("j0", 0.0, 1), ("j1", 0.0, 1)]) == (server.calls, told(reply))


@pytest.mark.parametrize(
    ("families", "judge"),
    [(["gpt", "gpt"], "first"), (["gpt", "claude"], "second"), (["claude", "gemini"], "own")],
)
async def test_the_judge_is_of_another_family_than_both_authors(families, judge):
    script = {name: choice("tie") for name in ("own", "first", "second")}
    async with ranking(**script) as (server, rank):
        await rank(contest("a", "b", families=families, models=("own", "first", "second")))

    assert 2 == server.calls_of(judge) == server.calls


async def test_without_an_independent_judge_nothing_is_compared():
    async with ranking() as (server, rank):
        reply = await rank(contest("a", "b", families=["gpt", "claude"], models=("own", "first")))

    assert (0, [("j0", 0.0, 0), ("j1", 0.0, 0)]) == (server.calls, told(reply))


@pytest.mark.parametrize(
    "bad", [Reply(status=500), Reply(text="The first."), Reply(text='{"better": "one"}')]
)
async def test_a_comparison_that_fails_in_one_order_is_none(bad):
    async with ranking(first=[choice("one"), bad]) as (_, rank):
        reply = await rank(contest("a", "b"))

    assert [0, 0] == [each.comparisons for each in reply.ranking]
    assert 1 == sum(
        part.status == manifest_pb2.PARTICIPATION_STATUS_ANSWERED for part in reply.participations
    )


async def test_a_choice_copied_from_an_answer_is_none():
    copied = json.dumps({"evidence": "seen", "better": "one"})
    async with ranking(first=choice("one")) as (_, rank):
        reply = await rank(contest(copied, "b"))

    assert {"VERDICT_ECHOED"} == {part.reason for part in reply.participations}


async def test_asks_only_what_the_lease_pays_for():
    lease = types_pb2.Lease(model_calls=3)
    async with ranking(first=prefers("plum", "pear", "fig")) as (server, rank):
        reply = await rank(contest("plum", "pear", "fig", lease=lease))

    assert (2, 1) == (server.calls, reply.unspent.model_calls)
    assert [("j0", 1.0, 1), ("j1", -1.0, 1), ("j2", 0.0, 0)] == told(reply)


@pytest.mark.parametrize("lease", [{"tokens": 100}, {"cost_usd": 0.001}], ids=str)
async def test_a_judge_that_could_not_finish_a_choice_is_not_asked(lease):
    async with ranking(first=choice("one")) as (server, rank):
        reply = await rank(contest("a", "b", lease=types_pb2.Lease(**lease)))

    assert (0, [0, 0]) == (server.calls, [each.comparisons for each in reply.ranking])


async def test_a_hung_judge_costs_the_ranking_not_the_deadline():
    async with ranking(first=Reply(hang=True)) as (_, rank):
        reply = await rank(contest("a", "b"), left_s=1.0)

    assert [0, 0] == [each.comparisons for each in reply.ranking]


@pytest.mark.parametrize(
    "bad", [[Reply(status=500)], [choice("one"), Reply(text="The first.")]], ids=["both", "one"]
)
async def test_a_judge_that_fails_is_replaced_for_both_orders(bad):
    async with ranking(first=bad, second=prefers("best", "worst")) as (server, rank):
        reply = await rank(contest("worst", "best", models=("first", "second")))

    assert [("j1", 1.0, 1), ("j0", -1.0, 1)] == told(reply)
    assert (2, 2) == (server.calls_of("first"), server.calls_of("second"))
    assert ["first", "first", "second", "second"] == [part.name for part in reply.participations]


async def test_only_the_pair_whose_judge_failed_gets_another():
    def first(body):
        said = prefers("best", "middle", "worst")(body)
        return Reply(status=500) if "worst" in str(body["messages"][-1]["content"]) else said

    async with ranking(first=first, second=prefers("best", "middle", "worst")) as (server, rank):
        reply = await rank(contest("worst", "best", "middle", models=("first", "second")))

    assert [("j1", 1.0, 2), ("j2", 0.0, 2), ("j0", -1.0, 2)] == told(reply)
    assert (6, 4) == (server.calls_of("first"), server.calls_of("second"))


async def test_a_judge_that_hangs_is_replaced_when_its_time_is_over():
    request = contest("worst", "best", models=("first", "second"))
    request.judge.timeout.CopyFrom(duration_to_wire(0.5))
    async with ranking(first=Reply(hang=True), second=prefers("best", "worst")) as (_, rank):
        reply = await rank(request)

    assert [("j1", 1.0, 1), ("j0", -1.0, 1)] == told(reply)


async def test_another_judge_is_asked_only_for_what_is_left():
    lease = types_pb2.Lease(model_calls=3)
    async with ranking(first=Reply(text="The first."), second=choice("one")) as (server, rank):
        reply = await rank(contest("a", "b", models=("first", "second"), lease=lease))

    assert (2, 0, 1) == (
        server.calls_of("first"),
        server.calls_of("second"),
        reply.unspent.model_calls,
    )
    assert [0, 0] == [each.comparisons for each in reply.ranking]


async def test_the_last_judge_that_fails_ends_it():
    async with ranking(first=Reply(status=500), second=Reply(status=500)) as (server, rank):
        reply = await rank(contest("a", "b", models=("first", "second")))

    assert (4, [0, 0]) == (server.calls, [each.comparisons for each in reply.ranking])


async def test_a_juror_may_answer_once():
    request = contest("a", "b")
    request.answers[1].juror = "j0"
    async with ranking() as (_, rank):
        with pytest.raises(InvalidRequestError, match="unique"):
            await rank(request)


@pytest.mark.parametrize(
    ("forwards", "backwards", "score"),
    [("one", "two", 1.0), ("two", "one", -1.0), ("one", "one", 0.0), ("one", "tie", 0.5),
     ("tie", "tie", 0.0), ("tie", "one", -0.5)],
)  # fmt: skip
def test_both_orders_make_a_score(forwards, backwards, score):
    first, *_ = sorted(
        standings(2, [Comparison(0, 1, forwards, backwards)]), key=lambda s: s.answer
    )

    assert score == first.score


@pytest.mark.parametrize(
    ("reliabilities", "best", "score"),
    [
        pytest.param({"first": 3.0, "second": 1.0}, "j1", 0.5, id="by weight"),
        pytest.param({"first": 1.0, "second": 3.0}, "j0", 0.5, id="the other way"),
        pytest.param({"first": 0.0, "second": 0.2}, "j0", 1.0, id="one that misleads"),
    ],
)
async def test_a_panel_weighs_its_judges(reliabilities, best, score):
    request = contest("left", "right", models=("first", "second"))
    request.reliabilities.update(reliabilities)
    script = {"first": prefers("right", "left"), "second": prefers("left", "right")}
    async with ranking(**script) as (server, rank):
        reply = await rank(request)

    assert (best, score) == (reply.ranking[0].juror, reply.ranking[0].score)
    assert 2 * sum(weight > 0.0 for weight in reliabilities.values()) == server.calls


async def test_every_judge_of_a_panel_sees_both_orders():
    request = contest("left", "right", models=("first", "second"))
    request.reliabilities.update({"first": 1.0, "second": 1.0})
    async with ranking(first=choice("one"), second=choice("two")) as (server, rank):
        reply = await rank(request)

    assert ([0.0, 0.0], 4) == ([each.score for each in reply.ranking], server.calls)
    assert all(each.position_inconsistent for each in reply.ranking)


async def test_the_lease_pays_for_the_most_reliable_judge_first():
    request = contest("left", "right", models=("first", "second"))
    request.reliabilities.update({"first": 0.5, "second": 2.0})
    request.lease.model_calls = 2
    script = {"first": prefers("right", "left"), "second": prefers("left", "right")}
    async with ranking(**script) as (_, rank):
        reply = await rank(request)

    assert [("j0", 1.0, 1), ("j1", -1.0, 1)] == told(reply)
    assert {"second"} == {part.name for part in reply.participations}


async def test_a_panel_without_a_judge_that_counts_compares_nothing():
    request = contest("left", "right")
    request.reliabilities.update({"second": 1.0})
    async with ranking(first=choice("one")) as (server, rank):
        reply = await rank(request)

    assert ([("j0", 0.0, 0), ("j1", 0.0, 0)], 0) == (told(reply), server.calls)


async def test_a_judge_whose_own_answer_is_compared_is_recused():
    request = contest("left", "right", models=("first", "second"))
    request.answers.add(juror="j2", text="middle", model="first", family="claude")
    script = {"first": prefers("left"), "second": prefers("right", "left", "middle")}
    async with ranking(**script) as (_, rank):
        reply = await rank(request)

    assert {"second"} == {part.name for part in reply.participations}


async def test_a_prompt_that_takes_long_to_look_at_holds_nobody_up():
    request = contest("It is 42.", "It is 43.", models=())
    async with ranking() as (_, rank):

        def begin():
            request.prompt.CopyFrom(heavy_prompt())
            return rank(request)

        assert await most_held_s(begin) < MOST_HELD_S
