"""A model writes one answer out of several; a hung, lying or dear one never costs the answer."""

import json
import time

import pytest

from gremium.v1 import ensemble_pb2, manifest_pb2, types_pb2
from services.gateway import synthesis
from tests.mesh.meshes import request
from tests.mesh.test_ask import ANSWERED, PASS, parts
from tests.upstream import Reply

SAID = {
    "a": "The bridge opened in 1901 and carries two rail tracks over the river.",
    "b": "The bridge over the river opened in 1901; it is made of steel.",
    "c": "It carries two rail tracks over the river and was paid for by the city.",
}
WHOLE = "The steel bridge opened in 1901; the city paid for it, and it carries two rail tracks."
JURY = {
    "jurors": [{"model": name} for name in SAID],
    "quorum": 3,
    "synthesis": {"models": ["writer"], "timeout_s": 5},
}
JUDGED = {**JURY, "judge": {"models": ["judge"], "timeout_s": 5}}
QUESTION = "Tell me about the bridge."


def script(**others):
    jurors = {name: Reply(text) for name, text in SAID.items()}
    return {**jurors, "writer": draft(), "judge": PASS, **others}


def draft(answer=WHOLE, sources=(1, 2, 3)):
    return Reply(json.dumps({"answer": answer, "sources": list(sources)}))


def fell_back(reply, why):
    """Whether a juror's own answer was given, and the trail says why."""
    (tally,) = reply.manifest.tallies
    own = reply.answer.text == SAID.get(reply.manifest.chosen_juror)
    return own and not tally.synthesised and [why] == list(tally.fallback_trail)


def writers(reply):
    return parts(reply.manifest, manifest_pb2.STAGE_SYNTHESIS)


async def test_the_answer_is_written_out_of_several_and_audited(serve):
    gateway = await serve(JUDGED, script())

    reply = await gateway.ask(QUESTION)

    manifest, (tally,) = reply.manifest, reply.manifest.tallies
    assert (WHOLE, ANSWERED, False) == (reply.answer.text, reply.outcome, reply.unjudged)
    assert ["a", "b", "c"] == list(reply.answer.sources) == list(tally.sources)
    assert (True, "synthesis", False) == (
        tally.synthesised,
        manifest.chosen_juror,
        manifest.degraded,
    )
    assert {"writer": ("ANSWERED", "")} == writers(reply)
    assert ["synthesis"] == [verdict.juror for verdict in manifest.verdicts]
    assert WHOLE in str(gateway.provider.requests[-1]["messages"])
    assert 4 == len(manifest.answers)


async def test_what_it_takes_is_counted(serve):
    gateway = await serve(JUDGED, script())

    manifest = (await gateway.ask(QUESTION)).manifest

    assert (5, 5 * 12) == (
        manifest.model_calls,
        manifest.usage.input_tokens + manifest.usage.output_tokens,
    )
    assert pytest.approx(5 * 0.012) == manifest.cost_usd


async def test_without_being_asked_nobody_writes(serve):
    gateway = await serve({**JURY, "synthesis": None}, script())

    reply = await gateway.ask(QUESTION)

    assert (3, {}) == (gateway.provider.calls, writers(reply))
    assert [] == list(reply.manifest.tallies[0].fallback_trail)


async def test_a_promise_learned_of_jurors_is_none_of_a_synthesis(serve):
    gateway = await serve(JUDGED, script())

    (tally,) = (await gateway.ask(QUESTION)).manifest.tallies

    assert not tally.p_correct.calibrated
    assert "wrote the answer out of several" in tally.uncalibrated_text


@pytest.mark.parametrize(
    ("reply", "why", "reason"),
    [
        (Reply("The bridge is old."), "synthesis_unreadable", "SYNTHESIS_NOT_JSON"),
        (
            draft("The bridge opened in 1902."),
            "synthesis_rejected",
            "SYNTHESIS_NUMBER_INVENTED",
        ),
    ],
)
async def test_what_cannot_be_given_is_paid_and_the_jurors_answer_stands(serve, reply, why, reason):
    gateway = await serve(JUDGED, script(writer=reply))

    given = await gateway.ask(QUESTION)

    assert fell_back(given, why)
    assert {"writer": ("UNUSABLE", reason)} == writers(given)
    assert (5, True, False) == (
        given.manifest.model_calls,
        given.manifest.degraded,
        given.unjudged,
    )


@pytest.mark.parametrize("ensemble", [JURY, JUDGED])
async def test_a_hung_writer_costs_neither_the_answer_nor_the_verdict(serve, ensemble):
    slow = {**ensemble, "synthesis": {"models": ["writer"], "timeout_s": 60}}
    gateway = await serve(slow, script(writer=Reply(hang=True)))
    began = time.monotonic()

    reply = await gateway.ask(QUESTION, timeout_s=4.0)

    assert time.monotonic() - began < 4.0
    assert fell_back(reply, "synthesis_failed")
    assert {"writer": ("TIMED_OUT", "TIMED_OUT")} == writers(reply)
    assert reply.unjudged is ("judge" not in ensemble)


async def test_a_hung_juror_leaves_time_to_write(serve):
    gateway = await serve(
        {
            **JUDGED,
            "quorum": 2,
            "jurors": [*JURY["jurors"][:2], {"model": "hung", "timeout_s": 60}],
        },
        script(hung=Reply(hang=True), writer=draft(f"{WHOLE[:31]}.", [1, 2])),
    )

    reply = await gateway.ask(QUESTION, timeout_s=4.0)

    assert (True, False) == (reply.manifest.tallies[0].synthesised, reply.unjudged)


@pytest.mark.parametrize(
    ("calls", "ends"),
    [(3, ("synthesis_no_budget", True)), (4, ("synthesis_no_budget", False)), (5, (None, False))],
)
async def test_a_budget_pays_for_the_verdict_before_the_synthesis(serve, calls, ends):
    gateway = await serve(JUDGED, script())

    reply = await gateway.ask(QUESTION, budget=types_pb2.Budget(max_model_calls=calls))

    why, unjudged = ends
    assert (calls, unjudged) == (gateway.provider.calls, reply.unjudged)
    assert fell_back(reply, why) if why else WHOLE == reply.answer.text


async def test_a_dear_synthesis_is_not_bought(serve):
    used = {"prompt_tokens": 10, "completion_tokens": 140, "total_tokens": 150}
    wordy = {name: Reply(text, usage=used) for name, text in SAID.items()}
    gateway = await serve(JURY, script(**wordy))

    reply = await gateway.ask(QUESTION, budget=types_pb2.Budget(max_cost_usd=0.48))

    assert fell_back(reply, "synthesis_no_budget")
    assert reply.manifest.cost_usd <= 0.48


async def test_data_is_never_synthesised_and_nothing_is_kept_for_it(serve):
    gateway = await serve(JURY, {name: Reply("A") for name in SAID})
    labels = types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=["A", "B"]))

    reply = await gateway.ask(QUESTION, shape=labels)

    assert ("A", 3) == (reply.answer.text, gateway.provider.calls)
    assert ["synthesis_not_prose"] == list(reply.manifest.tallies[0].fallback_trail)


async def test_what_is_too_large_to_put_together_is_not(serve, monkeypatch):
    monkeypatch.setattr(synthesis, "MOST_BYTES", 100)
    gateway = await serve(JURY, script())

    reply = await gateway.ask(QUESTION)

    assert fell_back(reply, "synthesis_too_large")
    assert (3, {}) == (gateway.provider.calls, writers(reply))


async def test_a_lost_aggregator_may_have_asked_its_writers(serve):
    gateway = await serve(JURY, script(), hung={"aggregator"})

    reply = await gateway.ask(QUESTION, timeout_s=3.0)

    assert (ANSWERED, True) == (reply.outcome, reply.manifest.degraded)
    (part,) = [p for p in reply.manifest.participations if p.name == "writer"]
    assert (manifest_pb2.STAGE_SYNTHESIS, True) == (part.stage, part.usage_estimated)
    assert part.cost_usd > 0.0


async def test_a_stream_tells_it_with_the_tally(serve):
    gateway = await serve(JURY, script())
    asked = ensemble_pb2.AskStreamRequest(ask=request(QUESTION))
    events = [event async for event in gateway.stub.AskStream(asked, timeout=10)]

    (tallied,) = [each.tallied for each in events if each.HasField("tallied")]
    assert (True, ["a", "b", "c"]) == (tallied.synthesised, list(tallied.sources))
    assert WHOLE == events[-1].final.answer.text
