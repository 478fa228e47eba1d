"""The router answers every request that can be answered, the same way each time, and says why."""

import asyncio

import grpc
import numpy as np
import pytest

from gremium.v1 import router_pb2, router_pb2_grpc, types_pb2
from router_svc.catalog import domain_examples, ensemble_profiles, uses_domains
from router_svc.compose import composed
from router_svc.reading import Reader, embed_examples
from router_svc.service import RouterServicer
from services.config.tree import Config, LoadedConfig
from services.core.deadline import Deadline
from services.core.errors import (
    BackendError,
    BudgetSpentError,
    DeadlineMissingError,
    InvalidRequestError,
    NoEligibleTierError,
    UnknownEnsembleError,
)
from services.runtime.local import call_local
from services.runtime.rules import check
from services.runtime.server import running
from services.runtime.settings import ServerSettings
from services.runtime.wire import duration_to_wire

ROUTE = "/gremium.v1.RouterService/Route"


class TopicEmbedder:
    """One axis per topic word; fails or hangs on request."""

    TOPICS = ("contract", "loop", "hello")

    def __init__(self):
        self.error: Exception | None = None
        self.hangs = False
        self.asked = 0

    async def embed(self, texts, *, deadline):
        self.asked += 1
        if self.error:
            raise self.error
        if self.hangs:
            async with asyncio.timeout(deadline.left_s):
                await asyncio.Event().wait()
        rows = [[float(topic in text) for topic in self.TOPICS] for text in texts]
        return np.array(rows, dtype=np.float32)


def model(usd=0.0, *, adequacy=0.7, latency_s=1.0, **more):
    return {
        "backend": "openai",
        "model": "m",
        "family": "f",
        "timeout_s": 5.0,
        "adequacy": adequacy,
        "expected_latency_s": latency_s,
        "price": {"output_usd_per_mtok": usd},
        **more,
    }


def tier(name, **more):
    return {"name": name, "jurors": [{"model": name}], **more}


CONFIG = Config.model_validate(
    {
        "models": {
            "small": model(1.0, adequacy=0.8),
            "large": model(20.0, adequacy=0.95, latency_s=4.0, images=True),
            "counsel": model(10.0, adequacy=0.85),
        },
        "ensembles": {
            "default": {
                "pattern": "route",
                "tiers": [tier("small"), tier("counsel", domains=["legal"]), tier("large")],
            },
            "panel": {
                "pattern": "jury",
                "jurors": [{"model": "small"}, {"model": "large"}, {"model": "counsel"}],
            },
        },
        "router": {
            "domains": {
                "legal": {"examples": ["Is this contract valid?"]},
                "code": {"examples": ["Why does this loop not end?"]},
            }
        },
        "embeddings": {"backend": "none"},
    }
)


PANEL = {"panel": {"pattern": "jury", "jurors": [{"model": "small"}]}}


@pytest.fixture
def embedder():
    return TopicEmbedder()


@pytest.fixture
async def router(embedder):
    examples = await embed_examples(
        embedder, domain_examples(CONFIG.router), deadline=Deadline.after(5)
    )
    reader = Reader(embedder, examples, min_similarity=0.35, timeout_s=0.05)
    return RouterServicer(ensemble_profiles(CONFIG), reader)


def request(text="What is a cat?", *, ensemble="default", parts=(), **fields):
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text=text), *parts])
    return router_pb2.RouteRequest(
        ensemble=ensemble, prompt=types_pb2.Prompt(messages=[turn]), **fields
    )


async def decide(router, wanted, *, left_s=10.0):
    deadline = Deadline.after(left_s)
    reply = await call_local(router.Route, wanted, deadline=deadline, method=ROUTE)
    check(reply)
    return reply.decision


def tiers(decision):
    return [tier.name for tier in decision.tiers]


async def test_starts_with_the_cheapest_adequate_tier(router):
    decision = await decide(router, request())

    assert ["small", "large"] == tiers(decision)
    assert router_pb2.ROUTE_REASON_CHEAPEST_ADEQUATE == decision.reason
    assert "cheapest tier whose predicted adequacy" in decision.reason_text


async def test_fills_in_everything(router):
    decision = await decide(router, request("Why, and how many exactly?"))

    assert ["small", "counsel", "large"] == [c.name for c in decision.candidates]
    assert all(c.eligible and c.expected_cost_usd > 0 for c in decision.candidates)
    assert decision.complexity == pytest.approx(sum(c.value for c in decision.contributions))
    assert ("large", 1.0, "policies-1") == (
        decision.runner_up,
        decision.propensity,
        decision.router_version,
    )
    assert decision.threshold == 0.7
    assert decision.margin < 0


async def test_admits_that_it_guesses(router):
    adequacy = (await decide(router, request())).tiers[0].adequacy

    assert not adequacy.calibrated
    assert adequacy.high - adequacy.low > 0.2


async def test_sends_a_prompt_to_the_specialist_of_its_domain(router):
    decision = await decide(router, request("May I end the contract?"))

    assert ["counsel", "large"] == tiers(decision)
    assert ("legal", router_pb2.ROUTE_REASON_SPECIALIST) == (decision.domain, decision.reason)
    assert decision.domain_similarity == pytest.approx(1.0)


async def test_the_same_request_gets_the_same_decision(router):
    asked = request("May I end the contract?")

    assert await decide(router, asked) == await decide(router, asked)


async def test_routes_without_a_domain_when_the_embedder_fails(router, embedder):
    embedder.error = BackendError("no connection", cause="CONNECTION")
    decision = await decide(router, request("May I end the contract?"))

    assert ["small", "large"] == tiers(decision)
    assert "no domain: the embedder failed" in decision.reason_text


async def test_routes_without_a_domain_when_the_embedder_hangs(router, embedder):
    embedder.hangs = True
    decision = await decide(router, request("May I end the contract?"), left_s=5.0)

    assert "no domain: the embedder was out of time" in decision.reason_text


async def test_a_hung_embedder_leaves_time_to_answer(embedder):
    examples = await embed_examples(
        embedder, domain_examples(CONFIG.router), deadline=Deadline.after(5)
    )
    embedder.hangs = True
    reader = Reader(embedder, examples, min_similarity=0.35, timeout_s=60.0)
    router = RouterServicer(ensemble_profiles(CONFIG), reader)

    assert (await decide(router, request(), left_s=1.0)).tiers


async def test_routes_without_domains_when_the_examples_could_not_be_embedded(embedder):
    embedder.error = TimeoutError()
    examples = await embed_examples(
        embedder, domain_examples(CONFIG.router), deadline=Deadline.after(5)
    )
    reader = Reader(embedder, examples, min_similarity=0.35, timeout_s=1.0)
    decision = await decide(RouterServicer(ensemble_profiles(CONFIG), reader), request())

    assert "no domain: its examples could not be embedded at start" in decision.reason_text


async def test_takes_the_callers_threshold_over_the_ensembles(router):
    decision = await decide(router, request(min_adequacy=0.99))

    assert ["large"] == tiers(decision)
    assert router_pb2.ROUTE_REASON_MOST_ADEQUATE == decision.reason


async def test_leaves_out_who_would_be_late(router):
    decision = await decide(router, request(juror_time=duration_to_wire(2.0)))

    assert ["small"] == tiers(decision)
    large = decision.candidates[2]
    assert [router_pb2.FILTER_REASON_LATENCY] == large.filtered
    assert not large.eligible


async def test_asks_models_of_unknown_latency_however_little_time_is_left(embedder):
    untold = {name: model(latency_s=None) for name in ("small", "large")}
    cascade = {"pattern": "route", "tiers": [tier("small"), tier("large")]}
    config = Config.model_validate({"models": untold, "ensembles": {"default": cascade}})
    router = RouterServicer(ensemble_profiles(config), Reader())
    decision = await decide(router, request(juror_time=duration_to_wire(0.3)))

    assert ["small", "large"] == tiers(decision)
    assert not any(told.HasField("expected_latency") for told in decision.tiers)
    assert not any(told.HasField("expected_latency") for told in decision.candidates)


async def test_its_own_deadline_is_not_the_jurors(router):
    assert "large" in tiers(await decide(router, request(), left_s=1.0))


async def test_asks_only_who_takes_images(router):
    image = types_pb2.Part(image=types_pb2.Image(url="https://a.example/b.png"))

    assert ["large"] == tiers(await decide(router, request(parts=[image])))


async def test_convenes_a_jury(router):
    decision = await decide(router, request(ensemble="panel"))

    jury = decision.tiers[0]
    assert ["small", "large", "counsel"] == list(jury.jurors)
    assert (2, router_pb2.ROUTE_REASON_JURY) == (jury.quorum, decision.reason)
    assert ["small", "large", "counsel"] == [c.name for c in decision.candidates]


async def test_says_why_nobody_is_left(router):
    with pytest.raises(NoEligibleTierError, match="small/small COST"):
        await decide(router, request(lease=types_pb2.Lease(cost_usd=1e-9)))


async def test_says_that_a_lease_of_nothing_is_spent(router):
    with pytest.raises(BudgetSpentError, match="cost_usd"):
        await decide(router, request(lease=types_pb2.Lease(cost_usd=0.0)))


async def test_knows_only_the_ensembles_of_its_configuration(router):
    with pytest.raises(UnknownEnsembleError, match="default"):
        await decide(router, request(ensemble="other"))


@pytest.mark.parametrize(
    "wanted",
    [
        pytest.param(request(" "), id="blank"),
        pytest.param(router_pb2.RouteRequest(ensemble="default"), id="no prompt"),
        pytest.param(request(min_adequacy=1.5), id="impossible threshold"),
    ],
)
async def test_refuses(router, wanted):
    with pytest.raises(InvalidRequestError):
        await decide(router, wanted)


async def test_refuses_a_call_without_a_deadline(router):
    class Endless:
        def time_remaining(self):
            return None

        def invocation_metadata(self):
            return ()

    with pytest.raises(DeadlineMissingError):
        await router.Route(request(), Endless())


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param({}, True, id="domains are configured"),
        pytest.param({"router": {}}, True, id="a tier is a specialist"),
        pytest.param({"router": {"domains": {}}}, False, id="domains are switched off"),
        pytest.param({"router": {}, "ensembles": PANEL}, False, id="nobody is a specialist"),
    ],
)
def test_looks_for_domains_only_where_they_are_used(change, expected):
    config = Config.model_validate({**CONFIG.model_dump(), **change})

    assert expected == uses_domains(config)


async def test_without_an_embedder_it_routes_by_rules():
    router = RouterServicer(ensemble_profiles(CONFIG), Reader())
    decision = await decide(router, request("May I end the contract?"))

    assert (["small", "large"], "") == (tiers(decision), decision.domain)


async def test_is_composed_from_a_configuration_and_answers_over_grpc(tmp_path):
    loaded = LoadedConfig(config=CONFIG, path=tmp_path / "gremium.yaml", sha256="0" * 64)
    async with (
        composed(loaded, engines={}) as servicer,
        running(
            ServerSettings(drain_s=0.0),
            lambda server: router_pb2_grpc.add_RouterServiceServicer_to_server(servicer, server),
            services=["gremium.v1.RouterService"],
        ) as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        stub = router_pb2_grpc.RouterServiceStub(channel)
        reply = await stub.Route(request("Is this contract valid?"), timeout=10)

    assert "counsel" == reply.decision.tiers[0].name
