"""A jury stops when its ballots have decided, and asks no more jurors than that takes."""

import time
from dataclasses import replace

import pytest

from jury_svc.leads import Fit, Voter
from jury_svc.polling import Counting
from jury_svc.quorum import Stop
from jury_svc.stopping import Rule, Terms
from services.config.tree import Price
from services.core.answers import Status
from services.core.lease import Lease
from services.core.prompts import OutputFormat, Tool
from tests.unit.jury.scripted import (
    LABELS,
    QUESTION,
    Scripted,
    asking_for,
    case,
    fails,
    hangs,
    hear,
    juror,
    statuses,
)

ANSWERED, CANCELLED, SKIPPED = Status.ANSWERED, Status.CANCELLED, Status.SKIPPED
UNCATCHABLE = Counting(Terms(min_share=0.5), {}, None, letters=False)
LONG_S = 30.0
"""A grace that no test waits for."""


def jury(*backends, quorum=2, grace_s=LONG_S, counting=UNCATCHABLE, waves=(), prompt=LABELS):
    asked = case(*backends, quorum=quorum, grace_s=grace_s, prompt=prompt)
    return replace(asked, counting=counting, waves=waves)


def paris(delay_s=0.0):
    return Scripted("Paris", delay_s=delay_s)


def rome(delay_s=0.0):
    return Scripted("Rome", delay_s=delay_s)


DECLINES = "I don't know."


async def test_prose_that_declines_is_counted_by_meaning_and_stops_nobody_early():
    prompt = replace(QUESTION, output_format=OutputFormat(may_abstain=True))
    late = Scripted("It opened in 1901.", delay_s=0.2)

    hearing = await hear(jury(Scripted(DECLINES), Scripted(DECLINES), late, prompt=prompt))

    assert [ANSWERED] * 3 == statuses(hearing)
    assert (None, 0) == (hearing.stopping.rule, hearing.stopping.ballots)


async def test_those_who_abstain_decide_like_any_class():
    prompt = replace(LABELS, output_format=replace(LABELS.output_format, may_abstain=True))
    hung = hangs()

    hearing = await hear(jury(Scripted(DECLINES), Scripted(DECLINES), hung, prompt=prompt))

    assert [ANSWERED, ANSWERED, CANCELLED] == statuses(hearing)
    assert Stop.DECIDED == hearing.stop


async def test_stops_when_nobody_can_catch_up():
    hung = hangs()

    began = time.monotonic()
    hearing = await hear(jury(paris(), paris(), hung))

    assert time.monotonic() - began < 1.0
    assert [ANSWERED, ANSWERED, CANCELLED] == statuses(hearing)
    assert ("DECIDED", 1) == (hearing.settled[2].asked.reason, hung.cancelled)
    assert (Stop.DECIDED, True) == (hearing.stop, hearing.quorum_met)
    assert (Rule.UNCATCHABLE, 2) == (hearing.stopping.rule, hearing.stopping.ballots)
    assert 1.0 == pytest.approx(hearing.stopping.statistic)


async def test_waits_beyond_the_grace_for_who_could_change_the_winner():
    hearing = await hear(jury(paris(), rome(), paris(delay_s=0.2), grace_s=0.0))

    assert [ANSWERED] * 3 == statuses(hearing)
    assert Stop.ALL_SETTLED is hearing.stop


async def test_the_deadline_ends_that_too():
    hearing = await hear(jury(paris(), rome(), hangs(), grace_s=0.0), within_s=0.5)

    assert (Stop.DEADLINE, True) == (hearing.stop, hearing.quorum_met)


async def test_never_stops_below_the_quorum():
    heavy = replace(UNCATCHABLE, voters={"j0": Voter("j0", 9.0)})

    hearing = await hear(jury(paris(), rome(delay_s=0.1), hangs(), counting=heavy))

    assert [ANSWERED, ANSWERED, CANCELLED] == statuses(hearing)


async def test_an_answer_that_cannot_be_read_is_in_and_no_vote():
    hearing = await hear(jury(paris(), paris(), Scripted("Oslo"), hangs(), quorum=2))

    assert [ANSWERED, ANSWERED, Status.UNUSABLE, CANCELLED] == statuses(hearing)
    assert (Stop.DECIDED, 2) == (hearing.stop, hearing.stopping.ballots)


async def test_a_failure_is_no_vote_either():
    hearing = await hear(jury(paris(), paris(), fails(), hangs()))

    assert (Stop.DECIDED, CANCELLED) == (hearing.stop, hearing.settled[3].asked.status)


async def test_the_grace_still_ends_for_who_cannot_change_the_winner():
    agreed = replace(UNCATCHABLE, terms=Terms(rule=Rule.AGREE, agree=3))

    hearing = await hear(jury(paris(), paris(), hangs(), grace_s=0.05, counting=agreed))

    assert (Stop.QUORUM, CANCELLED) == (hearing.stop, hearing.settled[2].asked.status)


async def test_fewer_agree_than_all_could():
    agreed = replace(UNCATCHABLE, terms=Terms(rule=Rule.AGREE, agree=2))

    hearing = await hear(jury(paris(), paris(), hangs(), hangs(), hangs(), counting=agreed))

    assert (Stop.DECIDED, 2.0) == (hearing.stop, hearing.stopping.statistic)


async def test_what_was_learned_of_the_jurors_may_stop_it():
    voters = {"j0": Voter("j0", 4.0), "j1": Voter("j1", 4.0), "j2": Voter("j2", 9.0)}
    sure = Counting(Terms(rule=Rule.POSTERIOR, tau=0.95), voters, Fit(), letters=False)

    hearing = await hear(jury(paris(), paris(), hangs(), counting=sure))

    assert (Stop.DECIDED, Rule.POSTERIOR) == (hearing.stop, hearing.stopping.rule)
    assert hearing.stopping.statistic > 0.99


async def test_free_text_has_no_ballots_and_goes_by_quorum_and_grace():
    hearing = await hear(
        jury(paris(), paris(), rome(delay_s=0.1), hangs(), grace_s=0.3, prompt=QUESTION)
    )

    assert [ANSWERED, ANSWERED, ANSWERED, CANCELLED] == statuses(hearing)
    assert (Stop.QUORUM, None) == (hearing.stop, hearing.stopping.rule)


async def test_free_text_that_is_compared_by_its_letters_has_ballots():
    letters = replace(UNCATCHABLE, letters=True)

    hearing = await hear(jury(paris(), paris(), hangs(), counting=letters, prompt=QUESTION))

    assert Stop.DECIDED is hearing.stop


async def test_who_only_writes_though_there_are_tools_is_compared_as_prose():
    offered = replace(QUESTION, tools=(Tool("weather"),))

    hearing = await hear(
        jury(paris(), paris(), rome(delay_s=0.1), hangs(), grace_s=0.3, prompt=offered, quorum=3)
    )

    assert [ANSWERED, ANSWERED, ANSWERED, CANCELLED] == statuses(hearing)
    assert (Stop.QUORUM, None) == (hearing.stop, hearing.stopping.rule)


async def test_numbers_within_the_tolerance_are_no_lead():
    numbers = asking_for(OutputFormat("number", relative_tolerance=0.1))

    hearing = await hear(
        jury(Scripted("1.00"), Scripted("1.05"), Scripted("0.95", delay_s=0.1), prompt=numbers)
    )

    assert Stop.ALL_SETTLED is hearing.stop


async def test_the_spend_of_who_was_cut_off_counts_and_what_was_saved_is_told():
    lease = Lease(cost_usd=10.0, model_calls=10)
    hearing = await hear(replace(jury(paris(), paris(), hangs()), lease=lease))

    cut = hearing.settled[2].asked
    assert (1, True) == (cut.model_calls, cut.usage_estimated)
    assert cut.cost_usd > 0.0
    spent = sum(end.asked.cost_usd for end in hearing.settled)
    assert (7, pytest.approx(10.0 - spent)) == (
        hearing.unspent.model_calls,
        hearing.unspent.cost_usd,
    )
    assert (0, pytest.approx(5 / 1000)) == (
        hearing.stopping.saved.calls,
        hearing.stopping.saved.cost_usd,
    )


async def test_the_next_wave_goes_out_only_if_it_is_needed():
    unasked = paris()

    hearing = await hear(jury(paris(), paris(0.05), unasked, waves=(2,)))

    assert [ANSWERED, ANSWERED, SKIPPED] == statuses(hearing)
    assert ([], "DECIDED", 0) == (
        unasked.requests,
        hearing.settled[2].asked.reason,
        hearing.settled[2].asked.model_calls,
    )
    assert 1 == hearing.stopping.saved.calls
    assert hearing.stopping.saved.cost_usd > 5 / 1000


async def test_a_split_wave_sends_the_next_one():
    hearing = await hear(jury(paris(), rome(), rome(), waves=(2,)))

    assert [ANSWERED] * 3 == statuses(hearing)


async def test_a_failed_wave_sends_the_next_one():
    hearing = await hear(jury(fails(), paris(), paris(), waves=(2,)))

    assert [Status.FAILED, ANSWERED, ANSWERED] == statuses(hearing)
    assert hearing.quorum_met


async def test_a_wave_that_can_no_longer_decide_is_not_waited_for():
    began = time.monotonic()
    hearing = await hear(
        jury(paris(), rome(), hangs(), paris(), paris(), quorum=3, waves=(3,)), within_s=20.0
    )

    assert time.monotonic() - began < 2.0
    assert [ANSWERED, ANSWERED, CANCELLED, ANSWERED, ANSWERED] == statuses(hearing)


async def test_a_hung_wave_gets_its_part_of_the_time():
    hearing = await hear(jury(hangs(), paris(), paris(), waves=(2,)), within_s=1.0)

    assert [CANCELLED, ANSWERED, ANSWERED] == statuses(hearing)
    assert Stop.DECIDED is hearing.stop


async def test_the_cheapest_go_first():
    dear, cheap = paris(), paris()
    asked = jury(dear, cheap, cheap, waves=(2,))
    low = Price(input_usd_per_mtok=1.0, output_usd_per_mtok=1.0)
    jurors = (asked.jurors[0], juror("b", cheap, price=low), juror("c", cheap, price=low))

    hearing = await hear(replace(asked, jurors=jurors))

    assert [SKIPPED, ANSWERED, ANSWERED] == statuses(hearing)
    assert [] == dear.requests


async def test_waves_of_free_text_stop_at_the_quorum():
    hearing = await hear(jury(paris(), rome(), paris(), waves=(2,), prompt=QUESTION))

    assert [ANSWERED, ANSWERED, SKIPPED] == statuses(hearing)
    assert Stop.QUORUM is hearing.stop


async def test_without_a_rule_ballots_stop_nobody():
    hearing = await hear(jury(paris(), paris(), paris(0.1), counting=None))

    assert Stop.ALL_SETTLED is hearing.stop
