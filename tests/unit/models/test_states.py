"""What a model went through is told over gRPC and in the metrics, and every replica is asked."""

import grpc
import pytest

from gremium.v1 import model_status_pb2, model_status_pb2_grpc
from services.config.care import Breaker
from services.gateway.model_states import LocalStates, RemoteStates
from services.models.states import ModelStatusServicer, replica_id
from services.runtime import figures
from services.runtime.names import SERVICE
from services.runtime.wire import duration_from_wire
from tests.figures import by, measuring
from tests.running import free_port
from tests.unit.models.rosters import asking, roster_of
from tests.upstream import Reply

REQUEST = model_status_pb2.ListModelStatesRequest()
DOWN = {"m": Reply(status=500)}


class Context:
    def time_remaining(self):
        return 5.0

    def invocation_metadata(self):
        return ()


async def served(servicer):
    server = grpc.aio.server()
    model_status_pb2_grpc.add_ModelStatusServiceServicer_to_server(servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    return server, f"127.0.0.1:{port}"


async def failing(put):
    for _ in range(6):
        await put()


async def test_a_failing_models_state_is_told(roster_put):
    roster, put = roster_put
    await failing(put)
    told = await ModelStatusServicer("jury", roster).ListModelStates(REQUEST, None)

    (replica,) = told.replicas
    (state,) = replica.models
    assert ("jury", replica_id(), "m") == (replica.service, replica.id, state.model)
    assert (model_status_pb2.BREAKER_STATE_OPEN, 1) == (state.breaker, state.opens)
    assert 0.0 < duration_from_wire(state.probe_in) <= Breaker().open_s
    assert state.recent_failures >= 5
    assert state.retries >= 1
    assert not state.HasField("latency_p50")


@pytest.fixture
async def roster_put():
    async with asking(DOWN) as (_, put):
        yield put.roster, put


async def test_a_rate_limit_is_told():
    limited = Reply(status=429, headers={"Retry-After": "47"})
    async with asking({"m": limited}) as (_, put):
        await put()
        told = ModelStatusServicer("jury", put.roster).replica()

    assert told.models[0].HasField("throttled_until_time")
    assert model_status_pb2.BREAKER_STATE_CLOSED == told.models[0].breaker


async def test_latency_is_told_once_it_is_known():
    async with asking() as (_, put):
        for _ in range(12):
            await put()
        (state,) = ModelStatusServicer("jury", put.roster).replica().models

    assert 0.0 < state.latency_p50.ToTimedelta().total_seconds() < 1.0
    assert state.latency_p50.ToNanoseconds() <= state.latency_p95.ToNanoseconds()


@pytest.fixture
def _measured():
    with measuring():
        yield


@pytest.mark.usefixtures("_measured")
async def test_the_metrics_tell_of_every_service_in_the_process():
    async with asking(DOWN) as (_, put), roster_of({"m": {"model": "m"}}) as quiet:
        ModelStatusServicer("jury", put.roster).measure()
        ModelStatusServicer("judge", quiet).measure()
        await failing(put)

        assert {"jury": 2, "judge": 0} == by(figures.BREAKER_STATE, SERVICE)
        assert {"jury": 1, "judge": 0} == by(figures.BREAKER_OPENS, SERVICE)
        assert {"jury": 32, "judge": 32} == by(figures.CONCURRENCY_LIMIT, SERVICE)


async def test_the_gateway_asks_every_service_and_names_who_does_not_tell():
    async with roster_of({"m": {"model": "m"}}) as roster:
        server, address = await served(ModelStatusServicer("jury", roster))
        nowhere = f"127.0.0.1:{free_port()}"
        try:
            targets = {"jury": address, "judge": nowhere}
            told = await RemoteStates(targets).ListModelStates(REQUEST, Context())
        finally:
            await server.stop(0)

    assert ["jury"] == [replica.service for replica in told.replicas]
    assert [f"judge at {nowhere}"] == list(told.missing)


async def test_every_address_of_a_name_is_asked():
    async with roster_of({"m": {"model": "m"}}) as roster:
        server, address = await served(ModelStatusServicer("jury", roster))
        port = address.rpartition(":")[2]
        try:
            told = await RemoteStates({"jury": f"dns:///localhost:{port}"}).ListModelStates(
                REQUEST, Context()
            )
        finally:
            await server.stop(0)

    assert ["jury"] == [replica.service for replica in told.replicas]


async def test_one_process_tells_of_its_own():
    async with roster_of({"m": {"model": "m"}}) as roster:
        servicers = [ModelStatusServicer(name, roster) for name in ("jury", "judge")]
        told = await LocalStates(servicers).ListModelStates(REQUEST, Context())

    assert ["judge", "jury"] == [replica.service for replica in told.replicas]
