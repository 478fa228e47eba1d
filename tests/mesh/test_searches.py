"""A step that searches a folder: its passages are quoted, cited and judged, or it says why not."""

import grpc
import pytest

from gremium.v1 import manifest_pb2
from tests.mesh.graphs import PASS, asked, serving, specialists
from tests.mesh.meshes import metadata, reason
from tests.upstream import Reply

SEARCH = {
    "search": {"retrieval": {"folder": "nowhere"}},
    "summary": {"model": "writer", "depends_on": ["search"]},
}


@pytest.fixture
async def serve(transport, tmp_path):
    async with serving(transport, tmp_path) as start:
        yield start


async def test_passages_are_found_quoted_cited_and_judged(serve, tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "bees.md").write_text("# Honey\n\nBees make honey from nectar in summer.\n")
    (folder / "tax.md").write_text("# Tax\n\nThe form is due in April.\n")
    steps = {
        "search": {"retrieval": {"folder": "docs", "passages": 1}},
        "summary": {"model": "writer", "depends_on": ["search"]},
    }
    script = {"writer": Reply(text="From nectar [1]."), "j": PASS}
    gateway = await serve(specialists(steps, judge={"models": ["j"]}), script)

    reply = await gateway.ask("What do bees make honey from?")

    (passage,) = reply.manifest.passages
    assert ("1", "bees.md: Honey") == (passage.id, passage.source)
    assert "[1] bees.md: Honey\nBees make honey" in asked(gateway, "writer")
    assert "Bees make honey" in asked(gateway, "j")
    searches = [p for p in reply.manifest.participations if p.stage == manifest_pb2.STAGE_RETRIEVAL]
    assert [("search", 0)] == [(part.tier, part.model_calls) for part in searches]
    checks = {c.name: c.outcome for v in reply.manifest.verdicts for c in v.checks}
    assert manifest_pb2.CHECK_OUTCOME_PASS == checks["citations"]


async def test_a_citation_of_nothing_fails_the_verdict(serve, tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/bees.md").write_text("Bees make honey.")
    steps = {
        "search": {"retrieval": {"folder": "docs"}},
        "summary": {"model": "writer", "depends_on": ["search"]},
    }
    script = {"writer": Reply(text="From nectar [9]."), "j": PASS}
    gateway = await serve(specialists(steps, judge={"models": ["j"]}), script)

    reply = await gateway.ask("What do bees make?")

    assert manifest_pb2.OUTCOME_REJECTED == reply.outcome


async def test_a_folder_that_is_not_there_is_named_without_its_path(serve, tmp_path):
    gateway = await serve(specialists(SEARCH))

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await gateway.ask()

    told = metadata(caught.value)
    assert ("INVALID_PLAN", "search", "retrieval", "nowhere") == (
        reason(caught.value),
        told["step"],
        told["stage"],
        told["folder"],
    )
    assert "the folder nowhere cannot be searched" in caught.value.details()
    assert str(tmp_path) not in caught.value.details()
    assert 0 == gateway.provider.calls


async def test_an_optional_search_that_fails_is_a_note(serve):
    search = {**SEARCH["search"], "required": False}
    gateway = await serve(specialists({**SEARCH, "search": search}))

    reply = await gateway.ask()

    assert ("4", True) == (reply.answer.text, reply.degraded)
    assert "The step `search` gave nothing" in asked(gateway, "writer")


async def test_a_search_for_what_a_failed_step_gives_is_not_begun(serve):
    words = {"words": {"model": "http-500"}}
    search = {**SEARCH["search"], "goal": "{words}", "depends_on": ["words"], "required": False}
    gateway = await serve(specialists({**words, **SEARCH, "search": search}))

    reply = await gateway.ask()

    (skipped,) = [p for p in reply.manifest.participations if p.tier == "search"]
    assert (manifest_pb2.STAGE_RETRIEVAL, manifest_pb2.PARTICIPATION_STATUS_SKIPPED) == (
        skipped.stage,
        skipped.status,
    )
    assert ("4", True) == (reply.answer.text, reply.degraded)


@pytest.fixture
def bees(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/bees.md").write_text("Bees make honey.")


PATIENT = {"timeout_s": 600.0, "expected_latency_s": None}


async def test_a_search_gets_enough_time_beside_models_that_may_take_long(serve, bees):
    steps = {**SEARCH, "search": {"retrieval": {"folder": "docs"}}}
    steps["check"] = {"model": "checker", "depends_on": ["summary"]}
    script = {"vectors": Reply(delay_s=0.3)}
    patient = {"writer": PATIENT, "checker": PATIENT}
    gateway = await serve(specialists(steps), script, embedder="vectors", **patient)

    reply = await gateway.ask("What do bees make?")

    assert ("4", False) == (reply.answer.text, reply.degraded)
    assert "Bees make honey." in asked(gateway, "writer")


async def test_a_hung_search_leaves_its_readers_their_time(serve, bees):
    search = {"retrieval": {"folder": "docs"}, "required": False}
    script = {"vectors": Reply(hang=True), "writer": Reply(delay_s=0.8)}
    gateway = await serve(
        specialists({**SEARCH, "search": search}), script, embedder="vectors", writer=PATIENT
    )

    reply = await gateway.ask(timeout_s=4.0)

    assert ("4", True) == (reply.answer.text, reply.degraded)
    assert "The step `search` gave nothing" in asked(gateway, "writer")


GRAPH = {
    "pattern": "specialists",
    "steps": {
        "search": {"retrieval": {"folder": "docs"}},
        "answer": {"model": "writer", "depends_on": ["search"]},
    },
}


async def test_passages_of_graphs_side_by_side_have_ids_of_their_own(serve, bees):
    steps = {
        "own": {"retrieval": {"folder": "docs"}},
        "left": {"ensemble": "graph"},
        "right": {"ensemble": "graph", "goal": "Once more: {prompt}"},
        "last": {"model": "reader", "depends_on": ["own", "left", "right"]},
    }
    gateway = await serve({**specialists(steps), "graph": GRAPH})

    reply = await gateway.ask("What do bees make?")

    ids = [passage.id for passage in reply.manifest.passages]
    most = 6
    assert ["1", str(1 + most), str(1 + 2 * most)] == ids


async def test_graphs_that_are_asked_the_same_search_once(serve, bees):
    steps = {
        "left": {"ensemble": "graph"},
        "right": {"ensemble": "graph"},
        "last": {"model": "reader", "depends_on": ["left", "right"]},
    }
    gateway = await serve({**specialists(steps), "graph": GRAPH})

    reply = await gateway.ask("What do bees make?")

    assert 1 == len(reply.manifest.passages)
    shared = {step.id: step.same_as for step in reply.manifest.steps if step.same_as}
    assert shared in ({"right": "left"}, {"left": "right"})


async def test_an_answer_may_cite_what_a_nested_graph_found(serve, bees):
    script = {"writer": Reply(text="They make honey [1]."), "j": PASS}
    steps = {"own": {"ensemble": "graph"}, "last": {"model": "reader", "depends_on": ["own"]}}
    script["reader"] = Reply(text="Honey [1].")
    gateway = await serve({**specialists(steps, judge={"models": ["j"]}), "graph": GRAPH}, script)

    reply = await gateway.ask("What do bees make?")

    assert "[1] bees.md" in asked(gateway, "reader")
    assert "Bees make honey." in asked(gateway, "j")
    checks = {check.name: check.outcome for check in reply.manifest.verdicts[-1].checks}
    assert manifest_pb2.CHECK_OUTCOME_PASS == checks["citations"]
