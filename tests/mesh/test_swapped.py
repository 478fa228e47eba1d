"""A router is swapped and rolled back while the mesh serves; a broken one is refused by name."""

import asyncio
import logging

import grpc
import numpy as np
import pytest

import services.gateway.compose
from gremium.v1 import ensemble_pb2_grpc
from services.config.load import ConfigError
from services.models.words import word_vectors
from services.routing.artefact import Embedding
from services.routing.configured import routing_of, shelf_of
from services.routing.fit import fit
from services.routing.rows import rows_of
from services.routing.shelf import Use
from tests.mesh.meshes import MESHES, Gateway, serving, written
from tests.mesh.test_routed import EASY, HARD, ROUTED, SAID
from tests.upstream import upstream

NOW = "2026-01-01T00:00:00+00:00"
NOTICED_S = 10.0


@pytest.fixture(scope="module")
def routings():
    """The first knows that `small` cannot prove; the second holds it for as good as `large`."""
    asked = [text.format(a=a, b=b) for text in (EASY, HARD) for a in range(10) for b in range(10)]
    easy = np.array([text.startswith("What") for text in asked])
    vectors, ids = word_vectors(asked), [f"row {nth}" for nth in range(len(asked))]
    embedding = Embedding("none", "words", vectors.shape[1])
    found = []
    for small in (easy.astype(float), np.ones(len(asked))):
        labels = np.stack([small, np.ones(len(asked))], axis=1)
        rows = rows_of(["small", "large"], ids, asked, labels, vectors=vectors)
        found.append(fit(rows, embedding, created=NOW))
    return found


@pytest.fixture
async def served(tmp_path, routings):
    """A mesh without any trained router, and its shelf, which has two."""
    async with upstream(SAID) as provider:
        loaded = written(tmp_path / "gremium.yaml", ROUTED, provider.url)
        shelf = shelf_of(loaded)
        for routing in routings:
            shelf.put(routing, ["0" * 32])
        register = ensemble_pb2_grpc.add_EnsembleServiceServicer_to_server
        async with (
            MESHES["local"](loaded, ()) as mesh,
            services.gateway.compose.composed(loaded, mesh=mesh) as servicer,
            serving(servicer, register, "Ensemble") as address,
            grpc.aio.insecure_channel(address) as channel,
        ):
            yield Gateway(ensemble_pb2_grpc.EnsembleServiceStub(channel), provider), shelf, loaded


async def routed(gateway):
    return (await gateway.ask(HARD.format(a=3, b=4))).manifest.route


async def swapped(gateway, id_):
    """The first route by this router."""
    async with asyncio.timeout(NOTICED_S):
        while (route := await routed(gateway)).artefact_id != id_:  # noqa: ASYNC110  asked, not told
            await asyncio.sleep(0.1)
    return route


async def test_another_one_decides_within_seconds_and_the_old_one_after_a_rollback(
    served, routings
):
    gateway, shelf, _ = served
    first, second = routings
    assert "" == (await routed(gateway)).artefact_id

    shelf.use(first.id, now=NOW)
    assert "tier-large" == (await swapped(gateway, first.id)).tiers[0].name
    shelf.use(second.id, now=NOW)
    assert "tier-small" == (await swapped(gateway, second.id)).tiers[0].name
    shelf.roll_back()
    assert "tier-large" == (await swapped(gateway, first.id)).tiers[0].name
    shelf.roll_back()
    assert "heuristics" == (await swapped(gateway, "")).policy


async def test_a_broken_one_is_refused_by_name_and_the_old_one_stays(served, routings, caplog):
    gateway, shelf, loaded = served
    first, second = routings
    shelf.use(first.id, now=NOW)
    await swapped(gateway, first.id)
    shelf.path(second.id).write_text('{"format": 1}')
    shelf._point([*shelf.uses(), Use(second.id, NOW)])

    with caplog.at_level(logging.WARNING, "router_svc"):
        async with asyncio.timeout(NOTICED_S):
            while not any("not swapped" in each.message for each in caplog.records):
                assert first.id == (await routed(gateway)).artefact_id
                await asyncio.sleep(0.1)

    (told,) = [each.message for each in caplog.records if "not swapped" in each.message]
    assert f"{first.id} stays in use: " in told
    assert f"{second.id}.json: " in told
    assert first.id == (await routed(gateway)).artefact_id
    with pytest.raises(ConfigError, match=r"router.shelf: .*json: .*gremium router rollback"):
        routing_of(loaded)


async def test_the_manifest_keeps_numbers_to_learn_from_but_no_text(served):
    gateway, _, _ = served
    route = await routed(gateway)

    assert route.features.values
    assert not route.features.vector
    assert "order" not in str(route.features)
