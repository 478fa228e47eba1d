"""A mesh in this process's loop, on either transport, with scripted models behind real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

import aggregator_svc.compose
import judge_svc.compose
import jury_svc.compose
import router_svc.compose
import services.gateway.compose
from gremium.v1 import (
    aggregator_pb2_grpc,
    ensemble_pb2,
    ensemble_pb2_grpc,
    judge_pb2_grpc,
    jury_pb2_grpc,
    manifest_pb2,
    router_pb2_grpc,
    types_pb2,
)
from services.config.load import load
from services.config.tree import LoadedConfig
from services.gateway.mesh import GrpcMesh, LocalMesh, Mesh
from services.runtime.channels import open_channel
from services.runtime.server import running
from services.runtime.settings import ServerSettings
from tests.fakes import HungServicer, HungTier
from tests.upstream import Upstream

TIMEOUT_S = 10.0
STAGES = {
    "router": (router_svc.compose, router_pb2_grpc.add_RouterServiceServicer_to_server),
    "jury": (jury_svc.compose, jury_pb2_grpc.add_JuryServiceServicer_to_server),
    "judge": (judge_svc.compose, judge_pb2_grpc.add_JudgeServiceServicer_to_server),
    "aggregator": (
        aggregator_svc.compose,
        aggregator_pb2_grpc.add_AggregatorServiceServicer_to_server,
    ),
}


@dataclass
class Gateway:
    """A client of a running mesh, and the provider behind it."""

    stub: ensemble_pb2_grpc.EnsembleServiceStub
    provider: Upstream

    async def ask(
        self, text: str = "What is 2 + 2?", *, timeout_s: float | None = TIMEOUT_S, **fields: Any
    ) -> ensemble_pb2.AskResponse:
        """Ask in plain text, or in the output format `shape`."""
        return await self.stub.Ask(request(text, **fields), timeout=timeout_s)

    async def manifest(self, request_id: str) -> manifest_pb2.Manifest:
        asked = ensemble_pb2.GetManifestRequest(request_id=request_id)
        return (await self.stub.GetManifest(asked, timeout=TIMEOUT_S)).manifest

    async def settled(self, request_id: str, *, within_s: float = 5.0) -> manifest_pb2.Manifest:
        """The manifest as soon as it is complete."""
        async with asyncio.timeout(within_s):
            while True:
                manifest = await self.manifest(request_id)
                if manifest.state != manifest_pb2.MANIFEST_STATE_IN_PROGRESS:
                    return manifest
                await asyncio.sleep(0.02)


def request(
    text: str, *, shape: types_pb2.OutputFormat | None = None, **fields: Any
) -> ensemble_pb2.AskRequest:
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text=text)])
    prompt = types_pb2.Prompt(messages=[turn], output_format=shape)
    return ensemble_pb2.AskRequest(prompt=prompt, **fields)


def written(path: Path, ensemble: Mapping[str, Any], url: str, **sections: Any) -> LoadedConfig:
    """A configuration in which every model is called as the provider's script calls it."""
    ensemble = {"pattern": "jury", "grace_s": 0.05, **ensemble}
    if ensemble["pattern"] in {"route", "cascade"}:
        del ensemble["grace_s"]
    names = {juror["model"] for juror in jurors_of(ensemble)}
    others = [(ensemble.get(key) or {}).get("models", ()) for key in ("judge", "synthesis")]
    others.append((ensemble.get("shadow") or {}).get("judges", ()))
    config = {
        "models": {name: model(name, url) for name in sorted(names.union(*others))},
        "ensembles": {"main": ensemble},
        "embeddings": {"backend": "none"},
        **sections,
    }
    path.write_text(json.dumps(config))
    return load(path)


def jurors_of(ensemble: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    tiers = ensemble.get("tiers", [ensemble])
    return [juror for tier in tiers for juror in tier["jurors"]]


def model(name: str, url: str) -> dict[str, Any]:
    return {
        "backend": "openai",
        "model": name,
        "family": f"family of {name}",
        "base_url": url,
        "timeout_s": 1.0,
        "expected_latency_s": 0.2,
        "adequacy": 0.9 if name == "large" else 0.5,
        "price": {"input_usd_per_mtok": 1000.0, "output_usd_per_mtok": 1000.0},
    }


@asynccontextmanager
async def gateway(
    loaded: LoadedConfig, mesh: Mesh
) -> AsyncIterator[ensemble_pb2_grpc.EnsembleServiceStub]:
    register = ensemble_pb2_grpc.add_EnsembleServiceServicer_to_server
    async with (
        services.gateway.compose.composed(loaded, mesh=mesh) as servicer,
        serving(servicer, register, "Ensemble") as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        yield ensemble_pb2_grpc.EnsembleServiceStub(channel)


@asynccontextmanager
async def serving(servicer: Any, register: Any, name: str) -> AsyncIterator[str]:
    async with running(
        ServerSettings(drain_s=0.0),
        lambda server: register(servicer, server),
        services=[f"gremium.v1.{name}Service"],
    ) as port:
        yield f"127.0.0.1:{port}"


@asynccontextmanager
async def servicer_of(
    stage: str, loaded: LoadedConfig, hung: Collection[str]
) -> AsyncIterator[Any]:
    if stage in hung:
        yield HungServicer()
        return
    compose, _ = STAGES[stage]
    async with compose.composed(loaded, engines={}) as servicer:
        tiers = [name.removeprefix("jury:") for name in hung if name.startswith("jury:")]
        yield HungTier(servicer, *tiers) if tiers and stage == "jury" else servicer


@asynccontextmanager
async def local_mesh(loaded: LoadedConfig, hung: Collection[str]) -> AsyncIterator[LocalMesh]:
    async with AsyncExitStack() as opened:
        servicers = {
            stage: await opened.enter_async_context(servicer_of(stage, loaded, hung))
            for stage in STAGES
        }
        yield LocalMesh(**servicers)


@asynccontextmanager
async def grpc_mesh(loaded: LoadedConfig, hung: Collection[str]) -> AsyncIterator[GrpcMesh]:
    async with AsyncExitStack() as opened:
        channels = {}
        for stage, (_, register) in STAGES.items():
            servicer = await opened.enter_async_context(servicer_of(stage, loaded, hung))
            address = await opened.enter_async_context(
                serving(servicer, register, stage.capitalize())
            )
            channels[stage] = await opened.enter_async_context(open_channel(address))
        yield GrpcMesh(**channels)


MESHES = {"grpc": grpc_mesh, "local": local_mesh}


def reason(error: grpc.aio.AioRpcError) -> str:
    """`ErrorInfo.reason` of an error."""
    return _info(error).reason


def metadata(error: grpc.aio.AioRpcError) -> Mapping[str, str]:
    """`ErrorInfo.metadata` of an error."""
    return _info(error).metadata


def request_id(error: grpc.aio.AioRpcError) -> str:
    """The request that an error names."""
    return _info(error).metadata["request_id"]


def _info(error: grpc.aio.AioRpcError) -> error_details_pb2.ErrorInfo:
    status = rpc_status.from_call(error)
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return info
