"""What was learned is used as a whole, swapped at once, and never missed in silence."""

import numpy as np
import pytest

from gremium.v1 import router_pb2
from router_svc.catalog import ensemble_profiles
from router_svc.explain import Reason
from router_svc.learned import Learned
from router_svc.profiles import Filter
from router_svc.reading import Reader
from router_svc.service import RouterServicer
from router_svc.wire import FILTER_TO_WIRE, REASON_TO_WIRE
from services.config.tree import Config
from services.core.deadline import Deadline
from services.core.errors import BackendError
from services.routing.artefact import Embedding
from services.routing.fit import fit
from tests.unit.router.test_service import decide, model, request, tier
from tests.unit.router.tiers import prompt
from tests.unit.routing.test_predict import DIM, planted

MODELS = ("small", "large", "rare", "new")
CONFIG = Config.model_validate(
    {
        "models": {name: model(float(nth), adequacy=0.75) for nth, name in enumerate(MODELS, 1)},
        "ensembles": {"default": {"pattern": "route", "tiers": [tier(name) for name in MODELS]}},
    }
)

SHARED = Config.model_validate(
    {
        "models": {name: model(1.0) for name in MODELS[:2]},
        "ensembles": {
            "default": {
                "pattern": "route",
                "tiers": [tier(name) for name in MODELS[:2]],
                "policy": {"rule": "strong_share", "share": 0.5},
            }
        },
    }
)


@pytest.fixture(scope="module")
def routing():
    return fit(planted(), Embedding("none", "axes", DIM), created="2026-01-01T00:00:00+00:00")


class Axes:
    """Embeds `easy` on one axis and anything else on another; fails on request."""

    def __init__(self, *, dim=DIM, error=None):
        self._dim, self._error = dim, error

    async def embed(self, texts, *, deadline):
        if self._error:
            raise self._error
        return np.eye(self._dim, dtype=np.float32)[[int("easy" not in text) for text in texts]]


def reader(learned, embedder=None):
    return Reader(embedder or Axes(), learned=learned, looks_for_domains=False, timeout_s=5.0)


def router(learned, embedder=None):
    return RouterServicer(ensemble_profiles(CONFIG), reader(learned, embedder))


async def forecast(learned, embedder=None, text="an easy one"):
    read = await reader(learned, embedder).read(prompt(text), deadline=Deadline.after(5))
    return read.forecast


async def test_sends_each_prompt_to_who_was_learned_to_be_enough(routing):
    served = router(Learned(routing, models=MODELS))

    easy, hard = [await decide(served, request(text)) for text in ("an easy one", "a hard one")]
    assert ("small", "large") == (easy.tiers[0].name, hard.tiers[0].name)
    assert {routing.id} == {easy.artefact_id, hard.artefact_id}


async def test_a_swap_counts_from_the_next_request_on(routing):
    learned = Learned(models=MODELS)
    served = router(learned)

    before = await decide(served, request("a hard one"))
    learned.swap(routing)
    after = await decide(served, request("a hard one"))
    learned.swap(None)
    again = await decide(served, request("a hard one"))
    assert ["heuristics", "quality_target", "heuristics"] == [
        d.policy for d in (before, after, again)
    ]
    assert before == again


@pytest.mark.parametrize(
    ("embedder", "note"),
    [
        pytest.param(
            Axes(error=BackendError("down", cause="CONNECTION")),
            "priors only: the embedder failed (BACKEND_FAILED)",
            id="fails",
        ),
        pytest.param(
            Axes(error=TimeoutError()), "priors only: the embedder was out of time", id="late"
        ),
        pytest.param(
            Axes(dim=3),
            f"priors only: the prompt's vector has 3 numbers, {DIM} are due",
            id="other",
        ),
    ],
)
async def test_without_an_embedding_it_goes_by_priors_and_says_so(routing, embedder, note):
    decision = await decide(router(Learned(routing, models=MODELS), embedder), request("easy"))

    small = decision.candidates[0].adequacy
    assert note == decision.forecast_note
    assert note in decision.reason_text
    assert small.value == pytest.approx(routing.models[0].prior)
    assert not decision.novel


async def test_a_share_that_is_no_longer_kept_is_told(routing, caplog):
    """All prompts are hard now; half of them were when it was trained."""
    learned = Learned(routing, models=MODELS)
    served = RouterServicer(ensemble_profiles(SHARED), reader(learned))

    for _ in range(250):
        await decide(served, request("a hard one"))

    told = [record.getMessage() for record in caplog.records]
    assert ["ensemble default: 100.0% of the latest 200 prompts"] == [
        text.partition(" went")[0] for text in told
    ]


async def test_cold_models_are_told_apart(routing):
    found = await forecast(Learned(routing, models=MODELS))

    assert {"small": False, "large": False, "rare": True, "new": True} == {
        name: outlook.cold for name, outlook in found.models.items()
    }
    assert 0 == found.models["new"].n_labels


async def test_a_router_that_knows_none_of_the_models_leaves_it_to_heuristics(routing):
    found = await forecast(Learned(routing, models=("new", "newer")))

    assert not found.is_learned
    assert routing.id == found.artefact_id


async def test_what_its_fits_had_not_seen_is_kept_by_model(routing):
    found = await forecast(Learned(routing, models=MODELS))

    assert {"small", "large", "rare"} == found.held_out.keys()
    assert found.correlations["small", "large"] == found.correlations["large", "small"]


def test_every_reason_and_filter_has_its_word_in_the_contract():
    reasons = {router_pb2.RouteReason.Name(value) for value in REASON_TO_WIRE.values()}
    filters = {router_pb2.FilterReason.Name(value) for value in FILTER_TO_WIRE.values()}

    assert reasons == {f"ROUTE_REASON_{each.name}" for each in Reason}
    assert filters == {f"FILTER_REASON_{each.name}" for each in Filter}
    assert {*router_pb2.FilterReason.values()} == {*FILTER_TO_WIRE.values(), 0}
