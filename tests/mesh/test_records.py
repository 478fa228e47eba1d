"""What the gateway tells of its configuration and of requests that ended."""

from gremium.v1 import ensemble_pb2, manifest_pb2
from tests.mesh.test_ask import JURY, TWO_TIERS


async def test_lists_ensembles_and_models(serve):
    gateway = await serve(TWO_TIERS)

    listed = await gateway.stub.ListEnsembles(ensemble_pb2.ListEnsemblesRequest(), timeout=5)

    (main,) = listed.ensembles
    assert ("main", "route", ["small", "large"], ["judge"]) == (
        listed.default_ensemble,
        main.pattern,
        [tier.name for tier in main.tiers],
        list(main.judges),
    )
    assert ["judge", "large", "small"] == [model.name for model in listed.models]


async def test_feedback_stays_with_its_request(serve):
    gateway = await serve(JURY)
    asked = await gateway.ask()
    feedback = manifest_pb2.Feedback(score=1.0, source="test")

    await gateway.stub.SubmitFeedback(
        ensemble_pb2.SubmitFeedbackRequest(request_id=asked.request_id, feedback=feedback),
        timeout=5,
    )

    kept = (await gateway.manifest(asked.request_id)).feedback
    assert [(1.0, "test")] == [(said.score, said.source) for said in kept]


async def test_lists_manifests_newest_first(serve):
    gateway = await serve(JURY)
    for name in ("first", "second"):
        await gateway.ask(request_id=name)

    listed = await gateway.stub.ListManifests(ensemble_pb2.ListManifestsRequest(), timeout=5)

    assert ["second", "first"] == [manifest.request_id for manifest in listed.manifests]
