"""A trained router's predictions, and what is known of models at present, reach a request."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import grpc
import numpy as np
import pytest

from gremium.v1 import ensemble_pb2_grpc, model_status_pb2, router_pb2
from services.calibration.artefact import Calibration
from services.calibration.artefact import write as write_calibration
from services.gateway.compose import composed
from services.models.words import word_vectors
from services.routing.artefact import Embedding, write
from services.routing.fit import fit
from services.routing.rows import rows_of
from services.runtime.wire import duration_to_wire
from tests.mesh.meshes import MESHES, Gateway, reason, serving, written
from tests.mesh.test_cascade import NUMBER, said
from tests.mesh.test_escalation import pool
from tests.upstream import upstream

EASY = "What is {a} plus {b}?"
HARD = "Prove that the group of order {a} times {b} is simple."
TIERS = [{"name": f"tier-{name}", "jurors": [{"model": name}]} for name in ("small", "large")]
ROUTED = {"pattern": "route", "tiers": TIERS}
SAID = said(small="4", large="5")


@pytest.fixture(scope="module")
def routing():
    """`small` adds numbers and proves nothing; `large` does both. Embedded by words."""
    rng = np.random.default_rng(0)
    asked = [text.format(a=a, b=b) for text in (EASY, HARD) for a in range(20) for b in range(15)]
    easy = np.array([text.startswith("What") for text in asked])
    small = (rng.random(len(asked)) < np.where(easy, 0.97, 0.05)).astype(float)
    large = (rng.random(len(asked)) < 0.95).astype(float)
    vectors = word_vectors(asked)
    rows = rows_of(
        ["small", "large"],
        [f"row {nth}" for nth in range(len(asked))],
        asked,
        np.stack([small, large], axis=1),
        vectors=vectors,
        output_tokens=np.full((len(asked), 2), 40.0),
    )
    embedding = Embedding("none", "words", vectors.shape[1])
    return fit(rows, embedding, created="2026-01-01T00:00:00+00:00")


class Fixed:
    """Tells always the same states."""

    def __init__(self, *states: model_status_pb2.ModelState) -> None:
        self._replica = model_status_pb2.Replica(service="jury", id="one", models=states)

    async def told(self, *, deadline) -> model_status_pb2.ListModelStatesResponse:
        del deadline
        return model_status_pb2.ListModelStatesResponse(replicas=[self._replica])


@pytest.fixture
def served(transport, tmp_path, routing):
    """A mesh with the trained router; `states` tells how its models fare."""

    @asynccontextmanager
    async def start(
        ensemble=ROUTED, *, states: Sequence[model_status_pb2.ModelState] = (), **sections
    ) -> AsyncIterator[Gateway]:
        write(routing, tmp_path / "router.json")
        sections = {"router": {"artefact": "router.json"}, **sections}
        register = ensemble_pb2_grpc.add_EnsembleServiceServicer_to_server
        async with upstream(SAID) as provider:
            loaded = written(tmp_path / "gremium.yaml", ensemble, provider.url, **sections)
            async with (
                MESHES[transport](loaded, ()) as mesh,
                composed(loaded, mesh=mesh, states=Fixed(*states)) as servicer,
                serving(servicer, register, "Ensemble") as address,
                grpc.aio.insecure_channel(address) as channel,
            ):
                await _noted(servicer, len(states))
                yield Gateway(ensemble_pb2_grpc.EnsembleServiceStub(channel), provider)

    return start


async def _noted(servicer, count: int) -> None:
    """Wait until the gateway has asked how its models fare."""
    async with asyncio.timeout(5.0):
        while len(servicer._health.models) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def state(model, *, breaker=model_status_pb2.BREAKER_STATE_CLOSED, p50_s=None, p95_s=None):
    return model_status_pb2.ModelState(
        model=model,
        breaker=breaker,
        latency_p50=None if p50_s is None else duration_to_wire(p50_s),
        latency_p95=None if p95_s is None else duration_to_wire(p95_s),
    )


def open_(model):
    told = state(model, breaker=model_status_pb2.BREAKER_STATE_OPEN)
    told.probe_in.CopyFrom(duration_to_wire(30.0))
    return told


EASY_ONE = EASY.format(a=7, b=3)
HARD_ONE = HARD.format(a=7, b=3)


@pytest.mark.parametrize(
    ("asked", "juror", "route_reason"),
    [
        pytest.param(EASY_ONE, "small", router_pb2.ROUTE_REASON_CHEAPEST_ADEQUATE, id="easy"),
        pytest.param(HARD_ONE, "large", router_pb2.ROUTE_REASON_CHEAPEST_ADEQUATE, id="hard"),
    ],
)
async def test_asks_the_model_that_was_learned_to_be_enough(
    served, routing, asked, juror, route_reason
):
    async with served() as gateway:
        reply = await gateway.ask(asked)

    route = reply.manifest.route
    assert (juror, route_reason, routing.id) == (
        reply.answer.juror,
        route.reason,
        route.artefact_id,
    )
    assert "quality_target" == route.policy


async def test_the_manifest_tells_the_numbers_behind_the_choice(served):
    async with served() as gateway:
        route = (await gateway.ask(EASY_ONE)).manifest.route

    small = route.candidates[0]
    assert small.adequacy.low < small.adequacy.value < small.adequacy.high
    assert small.adequacy.calibrated
    assert small.adequacy.support == 600
    assert small.cost_p90_usd >= small.expected_cost_usd > 0.0
    effects = [abs(effect.logits) for effect in small.models[0].effects]
    assert effects
    assert sorted(effects, reverse=True) == effects
    assert 40 == pytest.approx(small.models[0].output_tokens_p50, rel=0.01)
    assert 3 == len(route.neighbors)
    assert route.neighbor_similarity > 0.5
    assert not route.novel


async def test_a_model_that_fails_is_left_out(served):
    async with served(states=[open_("small")]) as gateway:
        reply = await gateway.ask(EASY_ONE)

    assert "large" == reply.answer.juror
    (objection,) = reply.manifest.route.candidates[0].objections
    assert router_pb2.FILTER_REASON_BREAKER == objection.reason
    assert "small is left alone because it fails" == objection.text


async def test_a_model_that_was_slow_of_late_is_left_out(served):
    async with served(states=[state("small", p50_s=50.0, p95_s=90.0)]) as gateway:
        reply = await gateway.ask(EASY_ONE)

    assert "large" == reply.answer.juror
    assert reply.manifest.route.candidates[0].p_on_time < 0.01


async def test_when_all_are_left_out_the_error_says_why_of_each(served):
    states = [open_("small"), state("large", p50_s=50.0, p95_s=90.0)]
    async with served(states=states) as gateway:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await gateway.ask(EASY_ONE)

    assert "NO_ELIGIBLE_TIER" == reason(caught.value)
    assert "tier-small/small BREAKER" in caught.value.details()
    assert "tier-large/large LATENCY: it usually takes 50.0 s" in caught.value.details()


async def test_a_region_is_kept_to(served):
    allow = {**ROUTED, "allow": {"regions": ["eu"]}}
    async with served(allow) as gateway:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await gateway.ask(EASY_ONE)

    assert "REGION: where it is served is not configured; eu is allowed" in caught.value.details()


async def test_a_budget_that_is_spent_too_fast_makes_the_dear_tier_wait(served):
    policy = {"rule": "budget", "budget": "month", "value_usd": 1.0}
    budgets = {"month": {"max_usd": 1e6, "per": "month"}}
    async with served({**ROUTED, "policy": policy}, budgets=budgets) as gateway:
        route = (await gateway.ask(HARD_ONE)).manifest.route

    assert ("budget", router_pb2.ROUTE_REASON_BEST_VALUE) == (route.policy, route.reason)
    assert 0.0 < route.price_of_money < 1.0
    assert "large" == route.tiers[0].jurors[0]


CASCADE = {"pattern": "cascade", "accept_at": 0.99, "tiers": TIERS}


async def test_a_cascade_learns_how_far_its_tiers_err_together(served):
    async with served(CASCADE) as gateway:
        first = (await gateway.ask(EASY_ONE)).manifest.route.tiers[0]

    assert ["tier-large"] == list(first.correlations)
    assert -1.0 <= first.correlations["tier-large"] <= 1.0


def pools(accuracy):
    """What was learned of the lone jurors' own answers: `small` is right with .7."""
    return {f"main/tier-{name}": pool(name, weight=1.0, accuracy=p) for name, p in accuracy.items()}


@pytest.mark.parametrize(
    ("asked", "jurors"),
    [
        pytest.param(HARD_ONE, ["small", "large"], id="the next one can"),
        pytest.param(EASY_ONE, ["small"], id="the first one can"),
        pytest.param("", ["small"], id="nothing is known of the prompt"),
    ],
)
async def test_a_cascade_asks_on_by_what_was_learned_of_the_prompt(served, tmp_path, asked, jurors):
    """By its pool alone `large` is no better, and `small` is often wrong; the router knows when."""
    alike = pools({"small": 0.7, "large": 0.5})
    write_calibration(
        Calibration("2026-01-01T00:00:00+00:00", "0" * 64, pools=alike),
        tmp_path / "calibration.json",
    )
    sections = {"calibration": "calibration.json"}
    if not asked:
        sections["router"] = {}
    cascade = {**CASCADE, "escalate": {"value_usd": 1.0}}
    async with served(cascade, **sections) as gateway:
        reply = await gateway.ask(asked or HARD_ONE, shape=NUMBER)

    assert jurors == [part.name for part in reply.manifest.participations if part.model_calls]
