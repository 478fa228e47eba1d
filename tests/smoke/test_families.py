"""Two real families on this machine: both answer, and each is judged by the other."""

import asyncio
import os

import grpc
import pytest

from bench.families import config, request
from gremium.v1 import ensemble_pb2_grpc, manifest_pb2
from tests.running import mesh_running

QUESTION = "What is the capital of France?"
LIMIT_S = 100
FAMILIES = {"smollm2": "smollm", "qwen": "qwen"}


@pytest.fixture(scope="module")
def mesh(require, tmp_path_factory):
    require("embedded", "weights", "gguf")
    text = config(os.environ["GREMIUM_TEST_GGUF"])
    with mesh_running(tmp_path_factory.mktemp("families"), text) as running:
        yield running


def ask(mesh, ensemble):
    async def asked():
        async with grpc.aio.insecure_channel(mesh.address) as channel:
            stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
            return await stub.Ask(request(QUESTION, ensemble), timeout=LIMIT_S)

    return asyncio.run(asked())


def families(reply, stage):
    return {p.family for p in reply.manifest.participations if p.stage == stage}


def test_a_jury_of_both_answers(mesh):
    reply = ask(mesh, "jury")

    assert set(FAMILIES.values()) == families(reply, manifest_pb2.STAGE_JURY)
    assert "Paris" in reply.answer.text
    assert not reply.manifest.self_ensemble


def test_an_answer_is_judged_by_the_other_family(mesh):
    reply = ask(mesh, "route")

    assert reply.outcome in {manifest_pb2.OUTCOME_ANSWERED, manifest_pb2.OUTCOME_REJECTED}
    assert reply.manifest.verdicts
    for verdict in reply.manifest.verdicts:
        assert {verdict.juror, verdict.judge} == FAMILIES.keys()
    assert "Paris" in reply.answer.text


def test_nobody_judges_what_it_took_part_in(mesh):
    reply = ask(mesh, "jury")

    (verdict,) = reply.manifest.verdicts
    assert (manifest_pb2.VERDICT_KIND_UNJUDGED, "") == (verdict.kind, verdict.judge)
    assert reply.unjudged


def test_the_small_one_is_asked_first(mesh):
    reply = ask(mesh, "route")

    first = next(p for p in reply.manifest.participations if p.stage == manifest_pb2.STAGE_JURY)
    assert ("smollm2", "small") == (first.name, first.tier)
