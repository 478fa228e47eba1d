"""Through the whole mesh a jury stops when its ballots have decided, and nobody is missed."""

import time

import pytest

from gremium.v1 import manifest_pb2, types_pb2
from tests.upstream import Reply

LABELS = types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=["yes", "no"]))
JURY = {"jurors": [{"model": "a"}, {"model": "b"}, {"model": "c"}], "grace_s": 0.9}
YES, NO = Reply("yes"), Reply("no")
ANSWERED = manifest_pb2.OUTCOME_ANSWERED


def parts(manifest):
    """Status and reason by name."""
    return {
        part.name: (manifest_pb2.ParticipationStatus.Name(part.status)[21:], part.reason)
        for part in manifest.participations
        if part.stage == manifest_pb2.STAGE_JURY
    }


async def test_who_cannot_change_the_winner_is_not_waited_for(serve):
    gateway = await serve(JURY, {"a": YES, "b": YES, "c": Reply(hang=True)})

    began = time.monotonic()
    reply = await gateway.ask(shape=LABELS)

    assert time.monotonic() - began < 0.9
    assert (ANSWERED, "yes", False) == (reply.outcome, reply.answer.text, reply.degraded)
    assert ("CANCELLED", "DECIDED") == parts(reply.manifest)["c"]
    cut = next(part for part in reply.manifest.participations if part.name == "c")
    assert (1, True) == (cut.model_calls, cut.cost_usd > 0.0)


async def test_the_manifest_tells_why_the_jury_stopped_and_what_that_saved(serve):
    gateway = await serve(JURY, {"a": YES, "b": YES, "c": Reply(hang=True)})

    reply = await gateway.ask(shape=LABELS)

    (stop,) = reply.manifest.jury_stops
    assert ("DECIDED", 0) == (stop.reason, stop.saved_calls)
    assert stop.tier == reply.manifest.chosen_tier
    assert stop.saved_usd > 0.0
    assert [stop] == (await gateway.settled(reply.request_id)).jury_stops


async def test_a_jury_that_heard_everyone_saved_nothing(serve):
    gateway = await serve(JURY, {"a": YES, "b": NO, "c": NO})

    reply = await gateway.ask(shape=LABELS)

    (stop,) = reply.manifest.jury_stops
    assert ("ALL_SETTLED", 0, 0.0) == (stop.reason, stop.saved_calls, stop.saved_usd)


async def test_who_could_change_it_is_waited_for_beyond_the_grace(serve):
    gateway = await serve(
        {**JURY, "grace_s": 0.0}, {"a": YES, "b": NO, "c": Reply("no", delay_s=0.3)}
    )

    reply = await gateway.ask(shape=LABELS)

    assert (ANSWERED, "no") == (reply.outcome, reply.answer.text)


@pytest.mark.parametrize(
    "how",
    [{"stop": {"rule": "quorum"}}, {"aggregate": {"method": "medoid"}}],
    ids=["by rule", "by a method without ballots"],
)
async def test_quorum_and_grace_alone_cut_off_who_is_late(serve, how):
    gateway = await serve(
        {**JURY, "grace_s": 0.0, **how}, {"a": YES, "b": NO, "c": Reply("no", delay_s=0.6)}
    )

    reply = await gateway.ask(shape=LABELS)

    assert ("CANCELLED", "QUORUM") == parts(reply.manifest)["c"]


async def test_the_second_wave_is_asked_only_if_it_is_needed(serve):
    gateway = await serve({**JURY, "waves": [2]}, {"a": YES, "b": YES, "c": YES})

    reply = await gateway.ask(shape=LABELS)

    assert ("SKIPPED", "DECIDED") == parts(reply.manifest)["c"]
    assert (2, False) == (len(gateway.provider.requests), reply.degraded)
    assert [("DECIDED", 1)] == [(s.reason, s.saved_calls) for s in reply.manifest.jury_stops]


async def test_a_split_wave_sends_the_second(serve):
    gateway = await serve({**JURY, "waves": [2]}, {"a": YES, "b": NO, "c": NO})

    reply = await gateway.ask(shape=LABELS)

    assert (ANSWERED, "no") == (reply.outcome, reply.answer.text)
    assert 3 == len(reply.manifest.answers)
