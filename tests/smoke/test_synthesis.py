"""Five processes and a scripted provider: what a synthesis gives, and what its failures cost."""

import json
import time

import grpc
import pytest

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2, types_pb2
from tests.fault.five import ends
from tests.mesh.meshes import request
from tests.mesh.test_synthesis import QUESTION, SAID, WHOLE, draft
from tests.running import mesh_running, models_told
from tests.scripted import upstream_thread
from tests.upstream import Reply

WRITERS = {
    "good": draft(),
    "prose": Reply("The bridge is old."),
    "liar": draft("The bridge opened in 1902 and is made of steel."),
    "hung": Reply(hang=True),
    "dear": draft(),
}
TIMEOUT_S = 6.0


def config(url):
    common = {"backend": "openai", "base_url": url, "timeout_s": 5, "retry": {"max_attempts": 1}}
    models = {name: {**common, "model": name, "family": name} for name in (*SAID, *WRITERS)}
    models["dear"]["price"] = {"output_usd_per_mtok": 1000.0}
    models["judge"] = {**common, "model": "verdict-pass", "family": "judge"}
    jury = {
        "pattern": "jury",
        "quorum": 3,
        "jurors": [{"model": name} for name in SAID],
        "judge": {"models": ["judge"], "timeout_s": 5},
    }
    ensembles = {
        name: {**jury, "synthesis": {"models": [name], "timeout_s": 30}} for name in WRITERS
    }
    whole = {"models": models, "ensembles": ensembles, "embeddings": {"backend": "none"}}
    return json.dumps({**whole, "default_ensemble": "good"})


@pytest.fixture(scope="module")
def mesh(tmp_path_factory):
    script = {**WRITERS, **{name: Reply(text) for name, text in SAID.items()}}
    folder = tmp_path_factory.mktemp("synthesis")
    with upstream_thread(script) as server, mesh_running(folder, config(server.url)) as running:
        yield running


@pytest.fixture
def ask(mesh):
    with grpc.insecure_channel(mesh.address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        yield lambda name, **fields: stub.Ask(
            request(QUESTION, ensemble=name, **fields), timeout=TIMEOUT_S
        )


def test_one_answer_is_written_out_of_three_and_judged(ask):
    reply = ask("good")

    assert (WHOLE, ["a", "b", "c"]) == (reply.answer.text, list(reply.answer.sources))
    assert {"good": ("ANSWERED", "")} == ends(reply.manifest, manifest_pb2.STAGE_SYNTHESIS)
    assert (5, False, False) == (
        reply.manifest.model_calls,
        reply.unjudged,
        reply.manifest.degraded,
    )


@pytest.mark.parametrize(
    ("writer", "why", "end"),
    [
        ("prose", "synthesis_unreadable", ("UNUSABLE", "SYNTHESIS_NOT_JSON")),
        ("liar", "synthesis_rejected", ("UNUSABLE", "SYNTHESIS_NUMBER_INVENTED")),
        ("hung", "synthesis_failed", ("TIMED_OUT", "TIMED_OUT")),
    ],
)
def test_a_writer_that_fails_costs_neither_the_answer_nor_its_verdict(ask, writer, why, end):
    began = time.monotonic()
    reply = ask(writer)

    assert time.monotonic() - began < TIMEOUT_S
    assert reply.answer.text == SAID[reply.manifest.chosen_juror]
    assert [why] == list(reply.manifest.tallies[0].fallback_trail)
    assert {writer: end} == ends(reply.manifest, manifest_pb2.STAGE_SYNTHESIS)
    assert (5, False) == (reply.manifest.model_calls, reply.unjudged)


def test_a_writer_beyond_the_budget_is_not_asked(ask):
    reply = ask("dear", budget=types_pb2.Budget(max_cost_usd=0.001))

    assert reply.answer.text == SAID[reply.manifest.chosen_juror]
    assert ["synthesis_no_budget"] == list(reply.manifest.tallies[0].fallback_trail)
    assert {} == ends(reply.manifest, manifest_pb2.STAGE_SYNTHESIS)
    assert (0.0, False) == (reply.manifest.cost_usd, reply.unjudged)


def test_the_command_tells_out_of_whose_answers_it_was_written(gremium, mesh, ask):
    reply = ask("good", request_id="written")
    code, out, err = gremium(mesh.folder, "manifest", "written")

    assert 0 == code, err
    assert WHOLE in out
    assert "synthesis of a, b, c" in out
    assert reply.manifest.chosen_juror == "synthesis"


def test_the_models_of_the_aggregator_are_told_of(mesh, ask):
    ask("good")
    (aggregator,) = [e for e in models_told(mesh)["replicas"] if "aggregator" == e["service"]]

    assert {*SAID, *WRITERS, "judge"} == {each["model"] for each in aggregator["models"]}


def test_callers_can_see_who_may_write(mesh):
    with grpc.insecure_channel(mesh.address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        listed = stub.ListEnsembles(ensemble_pb2.ListEnsemblesRequest(), timeout=TIMEOUT_S)

    assert {name: [name] for name in WRITERS} == {
        each.name: list(each.synthesisers) for each in listed.ensembles
    }
