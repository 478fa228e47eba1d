"""A router is swapped and rolled back while the mesh serves; a broken one is refused by name."""

import asyncio
import json
import logging
import os
import sys
from contextlib import asynccontextmanager

import grpc
import numpy as np
import pytest

import services.gateway.compose
from gremium.v1 import ensemble_pb2_grpc
from gremium.v1.ensemble_pb2 import SubmitFeedbackRequest
from gremium.v1.manifest_pb2 import Feedback
from services.config.problems import ConfigError
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


@asynccontextmanager
async def serving_in(tmp_path, ensemble=ROUTED, **sections):
    async with upstream(SAID) as provider:
        loaded = written(tmp_path / "gremium.yaml", ensemble, provider.url, **sections)
        register = ensemble_pb2_grpc.add_EnsembleServiceServicer_to_server
        async with (
            MESHES["local"](loaded, ()) as mesh,
            services.gateway.compose.composed(loaded, mesh=mesh) as servicer,
            serving(servicer, register, "Ensemble") as address,
            grpc.aio.insecure_channel(address) as channel,
        ):
            yield Gateway(ensemble_pb2_grpc.EnsembleServiceStub(channel), provider), loaded


@pytest.fixture
async def served(tmp_path, routings):
    """A mesh without any trained router, and its shelf, which has two."""
    async with serving_in(tmp_path) as (gateway, loaded):
        shelf = shelf_of(loaded)
        for routing in routings:
            shelf.put(routing, ["0" * 32])
        yield gateway, shelf, loaded


@pytest.fixture
async def served_recording(tmp_path):
    """A mesh that asks `small` and keeps the embeddings of prompts."""
    always = {**ROUTED, "policy": {"rule": "fixed", "tier": "tier-small"}}
    async with serving_in(tmp_path, always, router={"record": "embedding"}) as (gateway, _):
        yield gateway


async def command(tmp_path, *arguments):
    """Run `gremium router …` beside the mesh, and read what it tells."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.cli",
        "router",
        *arguments,
        "--json",
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60.0):
        out, err = await process.communicate()
    assert 0 == process.returncode, err.decode()
    return json.loads(out)


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


def outcomes(path, *, small):
    """Both models add; whether `small` proves, too, is as good as `small`."""
    lines = []
    for nth in range(60):
        for text, right in ((EASY, 1.0), (HARD, small)):
            asked, labels = text.format(a=nth, b=nth + 1), {"small": right, "large": 1.0}
            lines.append({"id": f"{nth} {right} {text}", "prompt": asked, "outcomes": labels})
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


async def test_from_a_file_of_outcomes_to_the_served_decision_and_back(served, tmp_path):
    gateway, _, _ = served
    outcomes(tmp_path / "outcomes.jsonl", small=0.0)
    first = (await command(tmp_path, "train", "--from", "outcomes.jsonl"))["id"]
    await command(tmp_path, "use", first)
    assert "tier-large" == (await swapped(gateway, first)).tiers[0].name

    outcomes(tmp_path / "outcomes.jsonl", small=1.0)
    second = (await command(tmp_path, "train", "--from", "outcomes.jsonl", "--use"))["id"]
    assert "tier-small" == (await swapped(gateway, second)).tiers[0].name

    await command(tmp_path, "rollback")
    assert "tier-large" == (await swapped(gateway, first)).tiers[0].name


async def test_learns_from_its_own_traffic(served_recording, tmp_path):
    """Feedback says that `small` adds but does not prove."""
    gateway = served_recording
    for nth in range(60):
        for text, score in ((EASY, 1.0), (HARD, 0.0)):
            reply = await gateway.ask(text.format(a=nth, b=nth + 1))
            await gateway.stub.SubmitFeedback(
                SubmitFeedbackRequest(request_id=reply.request_id, feedback=Feedback(score=score)),
                timeout=5.0,
            )

    learned = await command(tmp_path, "train", "--from-ledger", "--use")
    assert {"small": 96} == {name: each["labels"] for name, each in learned["models"].items()}
    hard = await swapped(gateway, learned["id"])
    easy = (await gateway.ask(EASY.format(a=70, b=71))).manifest.route
    assert hard.candidates[0].adequacy.value < 0.2
    assert easy.candidates[0].adequacy.value > 0.8


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
