"""The jury over a real gRPC server: votes, manifests, progress, and a client that leaves."""

import asyncio

import grpc
import pytest

from gremium.v1 import aggregator_pb2, jury_pb2, jury_pb2_grpc, manifest_pb2, types_pb2
from jury_svc.service import JuryServicer
from services.models.roster import Roster
from services.runtime.server import running
from services.runtime.settings import ServerSettings
from services.runtime.wire import duration_to_wire
from tests.held import MOST_HELD_S, heavy_prompt, most_held_s
from tests.unit.jury.scripted import Scripted, fails, hangs, model


@pytest.fixture
def backends():
    return {"good": Scripted(), "blank": Scripted(" "), "dead": fails(), "hung": hangs()}


@pytest.fixture
async def jury(backends):
    roster = Roster({name: model(backend, name) for name, backend in backends.items()})
    servicer = JuryServicer(roster)
    async with (
        running(
            ServerSettings(drain_s=0.0),
            lambda server: jury_pb2_grpc.add_JuryServiceServicer_to_server(servicer, server),
            services=["gremium.v1.JuryService"],
        ) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        yield jury_pb2_grpc.JuryServiceStub(channel)


def deliberation(*models, quorum=1, grace_s=0.1, timeout_s=30.0, **fields):
    text = types_pb2.Part(text="What is the capital of France?")
    return jury_pb2.DeliberateRequest(
        request_id="r1",
        prompt=fields.pop("prompt", None)
        or types_pb2.Prompt(messages=[types_pb2.Message(role=types_pb2.ROLE_USER, parts=[text])]),
        jurors=[
            jury_pb2.JurorSpec(name=f"j{n}", model=name, timeout=duration_to_wire(timeout_s))
            for n, name in enumerate(models)
        ],
        quorum=quorum,
        grace=duration_to_wire(grace_s),
        tier="small",
        **fields,
    )


async def test_answers_and_says_how_everyone_took_part(jury):
    request = deliberation(
        "good", "blank", "dead", "hung", "good", lease=types_pb2.Lease(model_calls=4)
    )

    reply = await jury.Deliberate(request, timeout=10)

    assert ["j0"] == [answer.juror for answer in reply.answers]
    assert [
        manifest_pb2.PARTICIPATION_STATUS_ANSWERED,
        manifest_pb2.PARTICIPATION_STATUS_UNUSABLE,
        manifest_pb2.PARTICIPATION_STATUS_FAILED,
        manifest_pb2.PARTICIPATION_STATUS_CANCELLED,
        manifest_pb2.PARTICIPATION_STATUS_SKIPPED,
    ] == [part.status for part in reply.participations]
    assert {("small", manifest_pb2.STAGE_JURY)} == {
        (part.tier, part.stage) for part in reply.participations
    }
    assert reply.quorum_met
    assert jury_pb2.STOP_REASON_QUORUM == reply.stop_reason
    assert 0 == reply.unspent.model_calls


async def test_a_missed_quorum_is_a_reply(jury):
    reply = await jury.Deliberate(deliberation("good", "dead", quorum=2), timeout=10)

    assert not reply.quorum_met
    assert jury_pb2.STOP_REASON_QUORUM_IMPOSSIBLE == reply.stop_reason
    assert 2 == len(reply.participations)


async def test_replies_before_its_caller_gives_up(jury):
    reply = await jury.Deliberate(deliberation("good", "hung", quorum=2), timeout=1.5)

    assert jury_pb2.STOP_REASON_DEADLINE == reply.stop_reason
    assert manifest_pb2.PARTICIPATION_STATUS_TIMED_OUT == reply.participations[1].status


async def test_a_stream_tells_each_step_and_then_the_whole(jury):
    request = jury_pb2.DeliberateStreamRequest(deliberation=deliberation("good", "dead", "hung"))

    events = [event async for event in jury.DeliberateStream(request, timeout=10)]

    steps = [event.WhichOneof("event") for event in events]
    assert ["started"] * 3 == steps[:3]
    assert ["delta", *["settled"] * 3] == sorted(steps[3:-1])
    assert "done" == steps[-1]
    assert ["good-1", "dead-1", "hung-1"] == [event.started.model for event in events[:3]]
    ends = [event.settled for event in events if event.HasField("settled")]
    settled = {end.participation.name: end for end in ends}
    done = events[-1].done
    assert list(done.answers) == [settled["j0"].answer]
    assert not settled["j1"].HasField("answer")
    assert [part.name for part in done.participations] == ["j0", "j1", "j2"]
    assert {part.name: part for part in done.participations} == {
        name: end.participation for name, end in settled.items()
    }


async def test_a_cancelled_call_stops_the_models(jury, backends):
    call = jury.Deliberate(deliberation("hung", quorum=1), timeout=30)
    await asyncio.wait_for(backends["hung"].started.wait(), 5)
    call.cancel()

    await asyncio.wait_for(backends["hung"].stopped.wait(), 5)
    assert (1, 0) == (backends["hung"].cancelled, backends["hung"].running)


@pytest.mark.parametrize("read", [0, 1, 2], ids="left after {} messages".format)
async def test_a_client_that_leaves_the_stream_stops_the_models(jury, backends, read):
    request = jury_pb2.DeliberateStreamRequest(deliberation=deliberation("good", "hung", quorum=2))
    call = jury.DeliberateStream(request, timeout=30)
    for _ in range(read):
        await call.read()
    await asyncio.wait_for(backends["hung"].started.wait(), 5)
    call.cancel()

    await asyncio.wait_for(backends["hung"].stopped.wait(), 5)
    assert (1, 0) == (backends["hung"].cancelled, backends["hung"].running)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        pytest.param(deliberation("nobody"), grpc.StatusCode.NOT_FOUND, id="unknown model"),
        pytest.param(
            deliberation("good", quorum=2), grpc.StatusCode.INVALID_ARGUMENT, id="quorum too high"
        ),
        pytest.param(
            deliberation("good", timeout_s=0), grpc.StatusCode.INVALID_ARGUMENT, id="no timeout"
        ),
        pytest.param(
            deliberation("good", prompt=types_pb2.Prompt()),
            grpc.StatusCode.INVALID_ARGUMENT,
            id="blank prompt",
        ),
    ],
)
@pytest.mark.parametrize("streamed", [False, True])
async def test_refuses_what_breaks_the_contract(jury, backends, request_, code, streamed):
    wrapped = jury_pb2.DeliberateStreamRequest(deliberation=request_)
    call = (
        jury.DeliberateStream(wrapped, timeout=10).read()
        if streamed
        else jury.Deliberate(request_, timeout=10)
    )

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call

    assert code is caught.value.code()
    assert [] == backends["good"].requests


def twins():
    request = deliberation("good", "good")
    request.jurors[1].name = request.jurors[0].name
    return request


def shaped(schema):
    request = deliberation("good")
    request.prompt.output_format.json.schema_json = schema
    return request


def labelled(*labels):
    request = deliberation("good")
    request.prompt.output_format.labels.labels.extend(labels)
    return request


@pytest.mark.parametrize(
    "request_",
    [
        pytest.param(twins(), id="twins"),
        pytest.param(shaped('{"type": "sausage"}'), id="broken schema"),
        pytest.param(shaped('{"$ref": "http://127.0.0.1:1/a.json"}'), id="remote"),
        pytest.param(shaped('{"$ref": "#"}'), id="endless"),
        pytest.param(shaped('{"pattern": "(?=a)"}'), id="pattern"),
        pytest.param(labelled("Yes", "yes "), id="labels"),
    ],
)
async def test_refuses_before_anything_is_spent(jury, backends, request_):
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await jury.Deliberate(request_, timeout=10)

    assert grpc.StatusCode.INVALID_ARGUMENT is caught.value.code()
    assert [] == backends["good"].requests


def labelled(**fields):
    """Asks for one of two labels."""
    asked = deliberation("good", "good", "hung", **fields)
    asked.prompt.output_format.labels.labels.extend(["Paris", "Rome"])
    return asked


def weight(juror, **known):
    return aggregator_pb2.JurorWeight(juror=juror, weight=1.0, **known)


async def test_tells_by_what_it_stopped_and_what_that_saved(jury):
    stop = jury_pb2.StopTerms(rule=jury_pb2.STOP_RULE_UNCATCHABLE, min_share=0.5)

    reply = await jury.Deliberate(labelled(quorum=2, grace_s=30.0, stop=stop), timeout=10)

    assert jury_pb2.STOP_REASON_DECIDED == reply.stop_reason
    found = reply.stopping
    assert (jury_pb2.STOP_RULE_UNCATCHABLE, 2, 0) == (found.rule, found.ballots, found.saved_calls)
    assert pytest.approx(1.0) == found.statistic
    assert found.saved_usd > 0.0
    assert not found.HasField("saved_time")


async def test_what_was_learned_reaches_the_rule(jury):
    stop = jury_pb2.StopTerms(
        rule=jury_pb2.STOP_RULE_UNCATCHABLE,
        weights=[weight("j0"), weight("j1"), weight("j2")],
        fitted=aggregator_pb2.FittedVote(best_juror="j2", slope=1.0, calibration_id="c"),
    )

    reply = await jury.Deliberate(
        labelled(quorum=2, grace_s=0.0, timeout_s=0.3, stop=stop), timeout=10
    )

    assert jury_pb2.STOP_REASON_ALL_SETTLED == reply.stop_reason


async def test_who_stands_for_all_by_its_prior_is_waited_for(jury):
    stop = jury_pb2.StopTerms(
        rule=jury_pb2.STOP_RULE_UNCATCHABLE,
        by_priors=aggregator_pb2.PriorVote(best_juror="j2"),
    )

    reply = await jury.Deliberate(
        labelled(quorum=2, grace_s=0.0, timeout_s=0.3, stop=stop), timeout=10
    )

    assert jury_pb2.STOP_REASON_ALL_SETTLED == reply.stop_reason


async def test_ballots_that_weigh_by_priors_stop_by_what_they_weigh(jury):
    """Two agree, and the third one's prior outweighs both."""
    priors = {"j0": 0.25, "j1": 0.25, "j2": 0.39}
    stop = jury_pb2.StopTerms(
        rule=jury_pb2.STOP_RULE_UNCATCHABLE,
        weights=[weight(name, prior=prior) for name, prior in priors.items()],
        by_priors=aggregator_pb2.PriorVote(log_odds=True),
    )

    reply = await jury.Deliberate(
        labelled(quorum=2, grace_s=0.0, timeout_s=0.3, stop=stop), timeout=10
    )

    assert jury_pb2.STOP_REASON_ALL_SETTLED == reply.stop_reason


@pytest.mark.parametrize(
    ("fields", "decided"),
    [
        pytest.param({}, True, id="like any answer"),
        pytest.param({"abstain_weight": 0.4}, False, id="less, of jurors that are not listed"),
        pytest.param(
            {"abstain_weight": 0.4, "weights": "listed"}, False, id="less, of listed ones"
        ),
        pytest.param(
            {"abstain_weight": 0.4, "fitted": "vote"}, True, id="as learned, whatever is configured"
        ),
        pytest.param({"fitted": "low"}, False, id="less, as learned"),
    ],
)
async def test_a_vote_to_abstain_weighs_what_the_aggregator_will_count(
    jury, backends, fields, decided
):
    backends["good"].text = "I don't know."
    how = dict(fields)
    if "weights" in how:
        how["weights"] = [weight(f"j{n}") for n in range(3)]
    if kind := how.pop("fitted", None):
        known = {"slope": 1.0, "calibration_id": "c", "abstain_score": -1.5 if kind == "low" else 0}
        how["fitted"] = aggregator_pb2.FittedVote(**known)
    stop = jury_pb2.StopTerms(rule=jury_pb2.STOP_RULE_UNCATCHABLE, **how)
    asked = labelled(quorum=2, grace_s=0.0, timeout_s=0.3, stop=stop)
    asked.prompt.output_format.may_abstain = True

    reply = await jury.Deliberate(asked, timeout=10)

    assert decided == (jury_pb2.STOP_REASON_DECIDED == reply.stop_reason)


async def test_the_waves_are_kept(jury, backends):
    stop = jury_pb2.StopTerms(rule=jury_pb2.STOP_RULE_UNCATCHABLE)

    reply = await jury.Deliberate(labelled(quorum=2, stop=stop, waves=[2]), timeout=10)

    assert (1, []) == (reply.stopping.saved_calls, backends["hung"].requests)


async def test_nobody_sits_twice(jury):
    request = labelled()
    request.jurors[1].name = "j0"

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await jury.Deliberate(request, timeout=10)

    assert grpc.StatusCode.INVALID_ARGUMENT == caught.value.code()
    assert "jurors: jurors must be unique; ['j0'] occur twice" in caught.value.details()


async def test_nobody_is_weighed_twice(jury):
    stop = jury_pb2.StopTerms(
        rule=jury_pb2.STOP_RULE_UNCATCHABLE, weights=[weight("j0"), weight("j0")]
    )

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await jury.Deliberate(labelled(stop=stop), timeout=10)

    assert grpc.StatusCode.INVALID_ARGUMENT == caught.value.code()
    assert "stop.weights" in caught.value.details()


async def test_a_prompt_that_takes_long_to_look_at_holds_nobody_up(jury):
    async def begin():
        return await jury.Deliberate(deliberation("good", prompt=heavy_prompt()), timeout=30)

    assert await most_held_s(begin) < MOST_HELD_S
