"""A policy that explores tries tiers, learns from the judge, and remembers it after a restart."""

from contextlib import asynccontextmanager

import pytest

from gremium.v1 import ensemble_pb2, router_pb2
from tests.mesh.meshes import MESHES, TIMEOUT_S, Gateway, gateway, written
from tests.mesh.test_ask import FAIL, TWO_TIERS
from tests.upstream import upstream

ROUNDS = 12


def exploring(**explore):
    return {**TWO_TIERS, "policy": {"rule": "utility", "value_usd": 1e5, "explore": explore}}


@asynccontextmanager
async def begun(transport, path, ensemble):
    """A mesh whose judge fails every answer, on the ledger that may be there already."""
    async with upstream({"judge": FAIL}) as provider:
        loaded = written(path / "gremium.yaml", ensemble, provider.url)
        async with (
            MESHES[transport](loaded, ()) as mesh,
            gateway(loaded, mesh) as stub,
        ):
            yield Gateway(stub, provider)


async def routes(
    at: Gateway, n: int, *, first: int = 0, **fields
) -> list[router_pb2.RouteDecision]:
    asked = [await at.ask(request_id=f"request-{nth}", **fields) for nth in range(first, first + n)]
    return [reply.manifest.route for reply in asked]


async def test_what_the_judge_fails_is_thought_less_of_after_a_restart_too(transport, tmp_path):
    ensemble = exploring(rule="linucb", forced=0.0)
    async with begun(transport, tmp_path, ensemble) as at:
        before = await routes(at, ROUNDS)
    async with begun(transport, tmp_path, ensemble) as at:
        (after,) = await routes(at, 1, first=ROUNDS)

    utility = [{c.name: c.utility for c in route.candidates} for route in (before[0], after)]
    assert "large" == before[0].tiers[0].name
    assert "small" in {route.tiers[0].name for route in before}
    assert utility[0]["large"] == pytest.approx(0.9, abs=0.05)
    assert utility[1]["large"] < 0.5


async def test_manifests_tell_with_which_probability_a_tier_was_drawn(transport, tmp_path):
    async with begun(transport, tmp_path, exploring(rule="linucb", forced=0.6)) as at:
        told = await routes(at, ROUNDS)

    assert {0.3, 0.7} == {round(route.propensity, 6) for route in told}
    assert {True, False} == {route.explored for route in told}
    for route in told:
        assert (router_pb2.ROUTE_REASON_EXPLORED == route.reason) == route.explored


async def test_nothing_is_tried_on_requests_of_high_risk(transport, tmp_path):
    async with begun(transport, tmp_path, exploring(rule="thompson", forced=1.0)) as at:
        told = await routes(at, 6, high_risk=True)

    assert {(1.0, False)} == {(route.propensity, route.explored) for route in told}


async def test_nothing_has_drifted_at_first(transport, tmp_path):
    async with begun(transport, tmp_path, exploring()) as at:
        await routes(at, 1)
        listed = await at.stub.ListEnsembles(ensemble_pb2.ListEnsemblesRequest(), timeout=TIMEOUT_S)

    assert not listed.drifts
