"""A jury is as fast as its quorum, and never later than its caller."""

import asyncio
import time
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jury_svc.case import Settled, Started
from jury_svc.deliberation import deliberate
from jury_svc.quorum import Stop
from services.core.answers import FinishReason, Status
from services.core.deadline import Deadline
from services.core.errors import DeadlineSpentError
from services.core.lease import Lease
from tests.unit.jury.scripted import LABELS, Scripted, case, fails, hangs, hear, juror, statuses


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


@pytest.mark.parametrize("grace_ms", range(20, 26))
async def test_a_grace_that_ends_while_it_is_looked_at_has_ended(grace_ms):
    """Each look at this clock takes a millisecond."""
    looks, began = count(), time.monotonic()
    deadline = Deadline.after(5.0, clock=lambda: next(looks) / 1000)
    asked = case(Scripted(), hangs(), quorum=1, grace_s=grace_ms / 1000)

    hearing = await deliberate(asked, deadline=deadline, tell=lambda _: None)

    assert Stop.QUORUM is hearing.stop
    assert time.monotonic() - began < 2.0


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
