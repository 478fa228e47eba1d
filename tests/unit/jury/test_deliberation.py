"""A jury is as fast as its quorum, never later than its caller, and forgets nobody's spend."""

import asyncio
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jury_svc.case import Juror, Settled, Started
from jury_svc.deliberation import deliberate
from jury_svc.quorum import Stop
from services.config.tree import Price
from services.core.answers import FinishReason, Status
from services.core.deadline import Deadline
from services.core.errors import DeadlineSpentError
from services.core.lease import Lease
from tests.unit.jury.scripted import LABELS, Scripted, case, fails, hangs, juror


async def hear(asked, *, within_s=10.0, tell=lambda _: None):
    return await deliberate(asked, deadline=Deadline.after(within_s), tell=tell)


def statuses(hearing):
    return [end.asked.status for end in hearing.settled]


def answers(hearing):
    return [end.answer.text for end in hearing.settled if end.answer is not None]


async def test_everyone_answers_in_juror_order():
    hearing = await hear(
        case(Scripted("Paris", delay_s=0.02), Scripted("Rome"), quorum=2, grace_s=5.0)
    )

    assert ["Paris", "Rome"] == answers(hearing)
    assert (True, Stop.ALL_SETTLED) == (hearing.quorum_met, hearing.stop)


async def test_an_answer_says_who_gave_it():
    (end,) = (await hear(case(Scripted()))).settled

    assert ("j0", "served-1", "f") == (end.answer.juror, end.answer.model, end.answer.family)
    assert Status.ANSWERED is end.asked.status


async def test_each_juror_hears_its_own_instruction():
    one, two = Scripted(), Scripted()
    asked = case(one, two, quorum=2, grace_s=5.0)
    jurors = (juror("a", one, instruction="be brief"), juror("b", two, instruction="doubt"))

    await hear(type(asked)(asked.prompt, jurors, 2, 5.0, Lease()))

    assert ["be brief", "doubt"] == [one.requests[0].instruction, two.requests[0].instruction]


async def test_one_model_may_be_asked_several_times():
    backend = Scripted()

    hearing = await hear(case(backend, backend, backend, quorum=3, grace_s=5.0))

    assert 3 == len(backend.requests)
    assert ["Paris"] * 3 == answers(hearing)


async def test_stops_at_the_quorum_and_cancels_stragglers_in_their_models():
    slow = hangs()

    began = time.monotonic()
    hearing = await hear(case(Scripted(), Scripted(), slow, quorum=2))

    assert time.monotonic() - began < 1.0
    assert [Status.ANSWERED, Status.ANSWERED, Status.CANCELLED] == statuses(hearing)
    assert "QUORUM" == hearing.settled[2].asked.reason
    assert (Stop.QUORUM, 1, 0) == (hearing.stop, slow.cancelled, slow.running)


async def test_the_grace_lets_a_straggler_in():
    hearing = await hear(case(Scripted(), Scripted("Rome", delay_s=0.05), quorum=1, grace_s=5.0))

    assert ["Paris", "Rome"] == answers(hearing)


async def test_the_grace_ends():
    began = time.monotonic()
    hearing = await hear(case(Scripted(), hangs(), quorum=1, grace_s=0.1))

    assert 0.09 < time.monotonic() - began < 1.0
    assert Stop.QUORUM is hearing.stop


async def test_a_jurors_own_timeout_is_strict():
    hung = hangs()
    asked = case(Scripted(), hung, quorum=1, grace_s=5.0, timeout_s=0.05)

    hearing = await hear(asked)

    assert [Status.ANSWERED, Status.TIMED_OUT] == statuses(hearing)
    assert (Stop.ALL_SETTLED, 0) == (hearing.stop, hung.running)


@pytest.mark.parametrize("within_s", [0.5, 1.5])
async def test_replies_before_its_deadline(within_s):
    deadline = Deadline.after(within_s)

    hearing = await deliberate(
        case(Scripted(), hangs(), quorum=2), deadline=deadline, tell=lambda _: None
    )

    assert deadline.left_s > 0.0
    assert [Status.ANSWERED, Status.TIMED_OUT] == statuses(hearing)
    assert ["Paris"] == answers(hearing)
    assert (False, Stop.DEADLINE) == (hearing.quorum_met, hearing.stop)


async def test_replies_in_time_though_a_model_ignores_its_cancellation():
    deaf = hangs(deaf_s=5.0)
    deadline = Deadline.after(1.0)

    hearing = await deliberate(
        case(Scripted(), deaf, quorum=2), deadline=deadline, tell=lambda _: None
    )

    assert deadline.left_s > 0.0
    assert 0 < sum(end.asked.model_calls for end in hearing.settled)
    assert [Status.ANSWERED, Status.TIMED_OUT] == statuses(hearing)


async def test_asks_nobody_when_no_time_is_left():
    backend = Scripted()

    with pytest.raises(DeadlineSpentError):
        await hear(case(backend), within_s=0.0)

    assert [] == backend.requests


async def test_a_failure_is_a_participation():
    hearing = await hear(case(Scripted(), fails(), quorum=1, grace_s=5.0))

    assert [Status.ANSWERED, Status.FAILED] == statuses(hearing)
    assert "CONNECTION" == hearing.settled[1].asked.reason


async def test_a_bug_in_a_backend_costs_one_answer():
    hearing = await hear(case(Scripted(), Scripted(error=KeyError("text")), grace_s=5.0))

    assert [Status.ANSWERED, Status.FAILED] == statuses(hearing)


async def test_no_answers_at_all_are_a_reply_too():
    hearing = await hear(case(fails(), fails(), quorum=1))

    assert [] == answers(hearing)
    assert (False, Stop.QUORUM_IMPOSSIBLE) == (hearing.quorum_met, hearing.stop)


async def test_stops_at_once_when_the_quorum_is_out_of_reach_and_keeps_what_there_is():
    slow = hangs()

    began = time.monotonic()
    hearing = await hear(
        case(Scripted(), fails(), slow, Scripted(" ", delay_s=0.02), quorum=3, grace_s=5.0)
    )

    assert time.monotonic() - began < 1.0
    assert ["Paris"] == answers(hearing)
    assert (False, Stop.QUORUM_IMPOSSIBLE) == (hearing.quorum_met, hearing.stop)
    assert (Status.CANCELLED, 0) == (hearing.settled[2].asked.status, slow.running)


@pytest.mark.parametrize(
    ("backend", "reason"),
    [
        pytest.param(Scripted(""), "EMPTY", id="empty"),
        pytest.param(Scripted(" \n\t"), "EMPTY", id="whitespace"),
        pytest.param(
            Scripted("<think>the capital", finish_reason=FinishReason.LENGTH),
            "CUT_OFF",
            id="cut off in its reasoning",
        ),
        pytest.param(
            Scripted("Paris", finish_reason=FinishReason.CONTENT_FILTER), "FILTERED", id="filtered"
        ),
        pytest.param(Scripted("Vienna"), "UNKNOWN_LABEL", id="none of the labels"),
    ],
)
async def test_an_unusable_answer_is_no_vote_but_its_tokens_count(backend, reason):
    asked = case(Scripted(), backend, quorum=2, prompt=LABELS, lease=Lease(tokens=100))

    hearing = await hear(asked)

    assert (Status.UNUSABLE, reason) == (
        hearing.settled[1].asked.status,
        hearing.settled[1].asked.reason,
    )
    assert not hearing.quorum_met
    assert 70 == hearing.unspent.tokens


async def test_the_spend_of_everyone_counts():
    lease = Lease(cost_usd=1.0, model_calls=10, tokens=1000)
    asked = case(Scripted(), fails(), hangs(), quorum=1, grace_s=0.05, lease=lease)

    hearing = await hear(asked)

    cut = hearing.settled[2].asked
    assert cut.usage.input_tokens > 0
    assert cut.usage_estimated
    spent = [end.asked for end in hearing.settled]
    assert hearing.unspent == lease.less(
        cost_usd=sum(call.cost_usd for call in spent),
        model_calls=3,
        tokens=sum(call.usage.total_tokens for call in spent),
    )
    assert cut.cost_usd > 0.0


async def test_a_timed_out_juror_costs_too():
    asked = case(hangs(), timeout_s=0.05, lease=Lease(model_calls=1, tokens=1000))

    hearing = await hear(asked)

    assert 0 == hearing.unspent.model_calls
    assert hearing.unspent.tokens < 1000


async def test_a_small_lease_asks_only_the_first_jurors():
    last = Scripted()
    asked = case(Scripted(), Scripted(), last, quorum=2, grace_s=5.0, lease=Lease(model_calls=2))

    hearing = await hear(asked)

    assert [Status.ANSWERED, Status.ANSWERED, Status.SKIPPED] == statuses(hearing)
    assert ("BUDGET_SPENT", 0) == (
        hearing.settled[2].asked.reason,
        hearing.settled[2].asked.model_calls,
    )
    assert ([], 0) == (last.requests, hearing.unspent.model_calls)


@pytest.mark.parametrize(
    "lease",
    [Lease(model_calls=1), Lease(model_calls=0), Lease(tokens=0), Lease(cost_usd=0.0)],
    ids=str,
)
async def test_a_lease_that_pays_no_quorum_asks_nobody(lease):
    first = Scripted()

    hearing = await hear(case(first, Scripted(), quorum=2, lease=lease))

    assert [Status.SKIPPED, Status.SKIPPED] == statuses(hearing)
    assert (False, Stop.QUORUM_IMPOSSIBLE) == (hearing.quorum_met, hearing.stop)
    assert ([], lease) == (first.requests, hearing.unspent)


async def test_without_money_the_free_jurors_are_asked():
    paid, free = Scripted(), Scripted()
    asked = case(paid, lease=Lease(cost_usd=0.0))
    jurors = (*asked.jurors, juror("free", free, price=Price()))

    hearing = await hear(replace(asked, jurors=jurors))

    assert [Status.SKIPPED, Status.ANSWERED] == statuses(hearing)
    assert "cost_usd" in hearing.settled[0].asked.reason_text
    assert ([], asked.lease) == (paid.requests, hearing.unspent)


async def test_a_juror_that_waited_for_its_turn_costs_nothing_when_it_is_cut_off():
    hung, quick = hangs(), Scripted()
    asked = case(hung, quick)
    busy = asked.jurors[0].model
    waiting = Juror("waiting", busy, "", 60.0)
    for _ in range(busy.spec.max_concurrent - 1):
        await busy.slots.acquire()

    hearing = await hear(replace(asked, jurors=(asked.jurors[0], waiting, asked.jurors[1])))

    cut = hearing.settled[1].asked
    assert [1, 0, 1] == [end.asked.model_calls for end in hearing.settled]
    assert (Status.CANCELLED, 0.0, False) == (cut.status, cut.cost_usd, cut.usage_estimated)


async def test_tells_when_each_juror_starts_and_settles():
    told = []
    asked = case(
        Scripted(delay_s=0.05), fails(), hangs(), Scripted(), quorum=1, grace_s=0.2,
        lease=Lease(model_calls=3),
    )  # fmt: skip

    await hear(asked, tell=told.append)

    started = [event.juror.name for event in told if isinstance(event, Started)]
    settled = [event.juror.name for event in told if isinstance(event, Settled)]
    assert ["j0", "j1", "j2"] == started
    assert ["j1", "j0", "j2", "j3"] == settled


async def test_a_caller_that_leaves_stops_every_model():
    backends = [hangs(), hangs()]
    hearing = asyncio.create_task(hear(case(*backends, quorum=2)))
    for backend in backends:
        await asyncio.wait_for(backend.started.wait(), 5)

    hearing.cancel()
    await asyncio.wait([hearing])

    assert hearing.cancelled()
    assert [(1, 0), (1, 0)] == [(backend.cancelled, backend.running) for backend in backends]


LINES = {
    "answers": Scripted,
    "is slow": lambda: Scripted(delay_s=0.03),
    "is blank": lambda: Scripted(" "),
    "fails": fails,
    "hangs": hangs,
    "has a bug": lambda: Scripted(error=KeyError("text")),
}


@settings(max_examples=40, deadline=None)
@given(
    lines=st.lists(st.sampled_from(sorted(LINES)), min_size=1, max_size=6),
    grace_s=st.sampled_from([0.0, 0.02]),
    calls=st.none() | st.integers(0, 6),
    data=st.data(),
)
def test_whatever_jurors_do_everyone_is_accounted_for(lines, grace_s, calls, data):
    quorum = data.draw(st.integers(1, len(lines)))
    lease = Lease(cost_usd=9.0, model_calls=calls, tokens=10_000)
    deadline = Deadline.after(5.0)

    async def heard():
        backends = [LINES[line]() for line in lines]
        asked = case(*backends, quorum=quorum, grace_s=grace_s, lease=lease, timeout_s=0.1)
        hearing = await deliberate(asked, deadline=deadline, tell=lambda _: None)
        return hearing, backends

    hearing, backends = asyncio.run(heard())

    ends = [end.asked for end in hearing.settled]
    assert [f"j{n}" for n in range(len(lines))] == [end.juror.name for end in hearing.settled]
    assert hearing.quorum_met == (len(answers(hearing)) >= quorum)
    assert hearing.quorum_met == (hearing.stop in {Stop.QUORUM, Stop.ALL_SETTLED})
    assert [end.status is Status.ANSWERED for end in ends] == [
        end.answer is not None for end in hearing.settled
    ]
    assert sum(end.model_calls for end in ends) == sum(len(b.requests) for b in backends)
    assert hearing.unspent == lease.less(
        cost_usd=sum(end.cost_usd for end in ends),
        model_calls=sum(end.model_calls for end in ends),
        tokens=sum(end.usage.total_tokens for end in ends),
    )
    assert [0] * len(lines) == [backend.running for backend in backends]
    assert deadline.left_s > 0.0


async def test_sixty_four_jurors_are_asked_at_once():
    backends = [Scripted(delay_s=0.2) for _ in range(64)]

    began = time.monotonic()
    hearing = await hear(case(*backends, quorum=64))

    assert time.monotonic() - began < 2.0
    assert 64 == len(answers(hearing))


async def test_an_answer_is_what_a_reader_should_see():
    hearing = await hear(case(Scripted("<think>France, so</think>\nParis"), quorum=1))

    assert ["Paris"] == answers(hearing)
