"""What the gateway is made of, opened once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.config.tree import LoadedConfig
from services.gateway.mesh import GrpcMesh, Mesh
from services.gateway.service import EnsembleServicer
from services.gateway.settings import GatewaySettings
from services.ledger.sqlite import open_ledger
from services.retrieval.shelves import open_shelves
from services.runtime.channels import open_channel


@asynccontextmanager
async def composed(loaded: LoadedConfig, *, mesh: Mesh) -> AsyncIterator[EnsembleServicer]:
    """The gateway's servicer, with its ledger open and the folders of its steps read."""
    async with (
        open_ledger(loaded.resolve(loaded.config.ledger.path)) as ledger,
        open_shelves(loaded) as shelves,
    ):
        yield EnsembleServicer(mesh, ledger, loaded, shelves)


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
