"""What the gateway is made of, opened once."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Final

import grpc
import numpy as np

from gremium.v1 import (
    ensemble_pb2,
    ensemble_pb2_grpc,
    manifest_pb2,
    model_status_pb2_grpc,
)
from services.calibration.artefact import Calibration
from services.calibration.configured import calibration_of, misfits
from services.config.tree import LoadedConfig, RouteEnsemble, SharedBudget
from services.gateway.accounts import Accounts
from services.gateway.experience import Experience
from services.gateway.likeness import likening
from services.gateway.mesh import GrpcMesh, Mesh
from services.gateway.model_health import States, watched
from services.gateway.periods import period_start
from services.gateway.retaining import retaining
from services.gateway.service import EnsembleServicer
from services.gateway.settings import GatewaySettings
from services.gateway.shadow import shadowing
from services.ledger.configured import terms_of
from services.ledger.postgres_open import mirrored
from services.ledger.sqlite import Ledger, open_ledger
from services.retrieval.shelves import open_shelves
from services.routing.configured import is_learned
from services.runtime.channels import open_channel

logger = logging.getLogger(__name__)

REMEMBERED: Final = 2_000
"""Latest requests to an ensemble whose outcomes are counted again at start."""
PAGE: Final = 100


@asynccontextmanager
async def composed(
    loaded: LoadedConfig, *, mesh: Mesh, states: States | None = None
) -> AsyncIterator[EnsembleServicer]:
    """The gateway's servicer, with its ledger open and the folders of its steps read.

    `states` tells it how the models fare; without, they are taken to work.

    Raises
    ------
    ConfigError
        If the calibration cannot be used.
    """
    calibration = _calibration(loaded)
    async with (
        open_ledger(loaded.resolve(loaded.config.ledger.path), terms_of(loaded)) as ledger,
        mirrored(ledger, loaded.config.ledger.postgres),
        retaining(ledger, loaded.config),
        open_shelves(loaded) as shelves,
        watched(states) as health,
        likening(loaded.resolve(loaded.config.ledger.path)) as likeness,
        shadowing(loaded.config, mesh, ledger, np.random.default_rng()) as shadows,
    ):
        accounts = await _accounts(loaded.config.budgets, ledger)
        yield EnsembleServicer(
            mesh,
            ledger,
            loaded,
            shelves,
            accounts,
            calibration=calibration,
            health=health,
            experience=await _experience(loaded, ledger),
            likeness=likeness,
            shadows=shadows,
        )


def _calibration(loaded: LoadedConfig) -> Calibration | None:
    """What was learned; what it does not fit is named in the log."""
    found = calibration_of(loaded)
    for what, why in misfits(loaded.config, found) if found else ():
        logger.warning("%s is uncalibrated: %s", what, why)
    return found


async def _accounts(budgets: Mapping[str, SharedBudget], ledger: Ledger) -> Accounts:
    """The accounts of budgets, as far as the ledger knows their present periods."""
    now = datetime.now(UTC)
    starts = [period_start(budget.per, now) for budget in budgets.values()]
    return Accounts(budgets, await ledger.charges(min(starts)) if starts else ())


async def _experience(loaded: LoadedConfig, ledger: Ledger) -> Experience:
    """What came of the latest routes, as far as the ledger knows."""
    found, learned = Experience(np.random.default_rng()), is_learned(loaded)
    for name, ensemble in loaded.config.ensembles.items():
        if isinstance(ensemble, RouteEnsemble) and (learned or ensemble.policy.explore):
            for manifest in reversed(await _latest(name, ledger)):
                found.note(manifest)
    return found


async def _latest(ensemble: str, ledger: Ledger) -> list[manifest_pb2.Manifest]:
    """Its latest answered requests, newest first."""
    request = ensemble_pb2.ListManifestsRequest(
        ensemble=ensemble, state=manifest_pb2.MANIFEST_STATE_COMPLETED, page_size=PAGE
    )
    found: list[manifest_pb2.Manifest] = []
    while len(found) < REMEMBERED:
        page = await ledger.manifests(request)
        found.extend(page.manifests)
        request.page_token = page.next_page_token
        if not page.next_page_token:
            break
    return found


def register(
    servicer: EnsembleServicer,
    states: model_status_pb2_grpc.ModelStatusServiceServicer,
    server: grpc.aio.Server,
) -> None:
    """Let a server answer what the gateway answers."""
    ensemble_pb2_grpc.add_EnsembleServiceServicer_to_server(servicer, server)
    model_status_pb2_grpc.add_ModelStatusServiceServicer_to_server(states, server)


@asynccontextmanager
async def grpc_mesh(settings: GatewaySettings) -> AsyncIterator[GrpcMesh]:
    """Channels to the four services, open until the block ends."""
    async with (
        open_channel(settings.router) as router,
        open_channel(settings.jury) as jury,
        open_channel(settings.judge) as judge,
        open_channel(settings.aggregator) as aggregator,
    ):
        yield GrpcMesh(router=router, jury=jury, judge=judge, aggregator=aggregator)
