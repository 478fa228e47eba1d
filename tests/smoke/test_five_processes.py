"""`gremium up` runs five services and an engine; real questions get real answers."""

import asyncio
import json
import re

from services.cli.health import is_serving
from services.cli.processes import SERVICES
from tests.running import page

QUESTION = "What is the capital of France?"
QUICK = ("--ensemble", "quick")
"""One call instead of three."""


def ask(gremium, mesh, *options):
    code, out, err = gremium(mesh.folder, "ask", *options)
    assert 0 == code, err
    return out


def test_every_service_is_a_process_of_its_own(mesh):
    pids = [mesh.pid(name) for name in SERVICES] + [e["pid"] for e in mesh.engines.values()]

    assert SERVICES.keys() == mesh.services.keys()
    assert 6 == len({*pids, mesh.process.pid} - {mesh.process.pid})


def test_every_service_says_serving(mesh):
    async def health():
        return [await is_serving(mesh.services[n]["address"], full) for n, full in SERVICES.items()]

    assert [True] * 5 == asyncio.run(health())


def test_the_embedded_model_answers(gremium, mesh):
    reply = json.loads(ask(gremium, mesh, QUESTION, "--json"))

    assert "OUTCOME_ANSWERED" == reply["outcome"]
    assert "Paris" in reply["answer"]["text"]


def test_the_manifest_names_everyone(gremium, mesh):
    manifest = json.loads(ask(gremium, mesh, QUESTION, "--json"))["manifest"]

    jurors = {p["name"] for p in manifest["participations"] if p["stage"] == "STAGE_JURY"}
    assert {"terse", "careful", "plain"} <= jurors
    assert 3 == manifest["model_calls"]
    assert manifest["self_ensemble"]
    assert manifest["unjudged"]


def test_people_read_the_answer_and_a_table(gremium, mesh):
    out = ask(gremium, mesh, QUESTION)

    assert "Paris" in out
    assert "ANSWERED" in out
    assert "warning  self-ensemble" in out
    assert all(head in out for head in ("stage", "model", "family", "outcome", "tokens", "USD"))


def test_a_stream_tells_each_step_and_then_the_answer(gremium, mesh):
    code, out, err = gremium(mesh.folder, "ask", QUESTION, "--stream")

    assert 0 == code
    assert "Paris" in out
    assert all(f"asked    {name} (" in err for name in ("terse", "careful", "plain"))
    assert "tally    " in err


def test_a_stream_of_json_is_a_line_an_event(gremium, mesh):
    events = [
        json.loads(line) for line in ask(gremium, mesh, QUESTION, "--stream", "--json").splitlines()
    ]

    kinds = [next(iter(event)) for event in events]
    assert ("routed", "final") == (kinds[0], kinds[-1])
    for name in ("terse", "careful", "plain"):
        words = [
            e["juror_delta"]["text"]
            for e in events
            if e.get("juror_delta", {}).get("juror") == name
        ]
        said = next(
            a["text"] for a in events[-1]["final"]["manifest"]["answers"] if a["juror"] == name
        )
        assert said == "".join(words).strip()


def test_a_question_comes_from_standard_input(gremium, mesh):
    code, out, _ = gremium(mesh.folder, "ask", "-", *QUICK, text=QUESTION)

    assert (0, True) == (code, "Paris" in out)


def test_a_question_goes_to_the_ensemble_that_it_names(gremium, mesh):
    reply = json.loads(ask(gremium, mesh, QUESTION, "--json", *QUICK))

    assert "route" == reply["manifest"]["pattern"]


def test_the_same_request_id_spends_nothing(gremium, mesh):
    first, again = (
        json.loads(ask(gremium, mesh, QUESTION, "--json", "--request-id", "r-1", *QUICK))
        for _ in range(2)
    )

    assert (False, True) == (first.get("replayed", False), again["replayed"])
    assert first["manifest"] == again["manifest"]


def test_an_unknown_ensemble_is_named(gremium, mesh):
    code, _, err = gremium(mesh.folder, "ask", QUESTION, "--ensemble", "nobody")

    assert 1 == code
    assert "no ensemble 'nobody'" in err
    assert "UNKNOWN_ENSEMBLE" in err


def test_feedback_is_part_of_the_manifest(gremium, mesh):
    ask(gremium, mesh, QUESTION, "--request-id", "r-2")
    said = ("--prefer", "careful", "--comment", "well said")
    assert 0 == gremium(mesh.folder, "feedback", "r-2", *said)[0]

    _, out, _ = gremium(mesh.folder, "manifest", "r-2", "--json")

    (kept,) = json.loads(out)["feedback"]
    assert ("well said", "careful", "jury") == tuple(
        kept[name] for name in ("comment", "preferred_juror", "preferred_tier")
    )


def test_the_latest_requests_are_listed(gremium, mesh):
    ask(gremium, mesh, QUESTION, "--request-id", "r-3", *QUICK)

    _, out, _ = gremium(mesh.folder, "manifests", "--limit", 1, "--json")

    assert ["r-3"] == [each["request_id"] for each in json.loads(out)["manifests"]]


def test_the_roster_says_that_the_engine_runs(gremium, mesh):
    _, out, _ = gremium(mesh.folder, "models", "--check", "--json")

    (model,) = json.loads(out)["models"]
    assert (True, "smollm2") == (model["ready"], model["name"])
    assert model["check"].startswith("answered")


def test_the_services_are_listed_with_their_calls(gremium, mesh):
    ask(gremium, mesh, QUESTION, *QUICK)

    code, out, _ = gremium(mesh.folder, "models", "--json")

    stages = {each["name"]: each for each in json.loads(out)["stages"]}
    assert (0, list(SERVICES)) == (code, list(stages))
    assert {True} == {each["serving"] for each in stages.values()}
    assert stages["jury"]["calls"] >= 1 > stages["jury"]["failed_calls"]


def test_the_console_shows_the_answer_and_who_asks_models(gremium, mesh):
    ask(gremium, mesh, QUESTION, "--request-id", "shown", *QUICK)

    assert "Paris" in page(mesh, "/requests/shown")
    assert {"jury", "judge"} <= set(
        re.findall(r"(\w+) (?:<[^>]+>)?[\w.-]+:\d+", page(mesh, "/roster"))
    )
    assert f"console at http://{mesh.console}/" in (mesh.folder / "up.log").read_text()


def test_from_elsewhere_the_gateway_tells_what_it_counted(gremium, mesh, tmp_path):
    ask(gremium, mesh, QUESTION, *QUICK)

    code, out, _ = gremium(tmp_path, "models", "--json", "--address", mesh.address)

    jury = next(each for each in json.loads(out)["stages"] if each["name"] == "jury")
    assert (0, "", None) == (code, jury["address"], jury["serving"])
    assert jury["calls"] >= 1
