"""A gateway with its console, and models behind real sockets that say what a script has them say."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aggregator_svc.compose
import judge_svc.compose
import jury_svc.compose
import router_svc.compose
import services.gateway.compose
from gremium.v1 import ensemble_pb2, types_pb2
from services.config.load import load
from services.config.tree import LoadedConfig
from services.core.deadline import Deadline
from services.gateway.console.opening import Console, console
from services.gateway.mesh import LocalMesh
from services.gateway.model_states import LocalStates
from services.gateway.service import EnsembleServicer
from services.gateway.settings import EdgeSettings
from services.runtime.local import call_local
from tests.upstream import Reply, Upstream, upstream

KEY = "a key of the tests alone"
METHOD = "/gremium.v1.EnsembleService/Ask"
CANARY = "<script>document.title='run'</script><img src=x onerror=document.title='run'>"
JURORS = ("ada", "ben", "cleo")
VERDICT = json.dumps(
    {
        criterion: {"evidence": "as asked", "pass": True, "score": 0.9}
        for criterion in ("hallucination", "safety", "logic")
    }
)


@dataclass(frozen=True)
class Running:
    """A console that serves, and what is behind it."""

    url: str
    console: Console
    gateway: EnsembleServicer
    provider: Upstream

    async def ask(
        self, text: str, *, ensemble: str = "", timeout_s: float = 10.0, **fields: Any
    ) -> ensemble_pb2.AskResponse:
        """Ask as a client does."""
        turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text=text)])
        shape = types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=["yes", "no"]))
        wanted = fields.pop("shape", shape if ensemble in {"", "jury"} else None)
        prompt = types_pb2.Prompt(messages=[turn], output_format=wanted)
        asked = ensemble_pb2.AskRequest(prompt=prompt, ensemble=ensemble, **fields)
        return await call_local(
            self.gateway.Ask, asked, deadline=Deadline.after(timeout_s), method=METHOD
        )


def written(folder: Path, url: str, *, patient: bool, **sections: Any) -> LoadedConfig:
    """A jury with a dissenter, and a cascade with a judge."""
    config = {
        "models": {
            name: model(name, url, patient=patient)
            for name in (*JURORS, "large", "umpire", "broken")
        },
        "ensembles": {
            "jury": {
                "pattern": "jury",
                "jurors": [{"model": name} for name in (*JURORS, "broken")],
                "quorum": 2,
                "grace_s": 0.5,
                "stop": {"rule": "quorum"},
                "judge": {"models": ["umpire"]},
            },
            "cascade": {
                "pattern": "cascade",
                "accept_at": 0.99,
                "tiers": [
                    {"name": "small", "jurors": [{"model": "ada"}, {"model": "ben"}], "quorum": 2},
                    {"name": "large", "jurors": [{"model": "large"}]},
                ],
                "judge": {"models": ["umpire"]},
            },
        },
        "default_ensemble": "jury",
        "embeddings": {"backend": "none"},
        "ledger": {"texts": "answers"},
        **sections,
    }
    path = folder / "gremium.yaml"
    path.write_text(json.dumps(config))
    return load(path)


def model(name: str, url: str, *, patient: bool) -> dict[str, Any]:
    return {
        "backend": "openai",
        "model": name,
        "family": f"family of {name}",
        "base_url": url,
        "timeout_s": 5.0,
        "adequacy": 0.9 if name == "large" else 0.6,
        "breaker": {"window": 1000, "min_calls": 1000} if patient else {},
        "retry": {"max_attempts": 1},
        "price": {"input_usd_per_mtok": 10.0, "output_usd_per_mtok": 40.0},
    }


SCRIPT: Mapping[str, Any] = {
    "ada": Reply("yes", delay_s=0.01),
    "ben": Reply("yes", delay_s=0.02),
    "cleo": Reply("no", delay_s=0.03),
    "large": Reply("It is four."),
    "umpire": Reply(VERDICT),
    "broken": Reply(status=500),
}


@asynccontextmanager
async def running(
    folder: Path,
    script: Mapping[str, Any] | None = None,
    *,
    key: str | None = None,
    address: str = "127.0.0.1:0",
    patient: bool = True,
    **sections: Any,
) -> AsyncIterator[Running]:
    """A gateway and its console in this process, until the block ends.

    With `patient` breakers a model that fails is asked all the same.
    """
    async with upstream({**SCRIPT, **(script or {})}) as provider:
        loaded = written(folder, provider.url, patient=patient, **sections)
        async with (
            router_svc.compose.composed(loaded, engines={}) as router,
            jury_svc.compose.composed(loaded, engines={}) as jury,
            judge_svc.compose.composed(loaded, engines={}) as judge,
            aggregator_svc.compose.composed(loaded, engines={}) as aggregator,
        ):
            mesh = LocalMesh(router=router, jury=jury, judge=judge, aggregator=aggregator)
            states = LocalStates((jury.models, judge.models))
            settings = EdgeSettings(console=address, console_key=key)
            async with (
                services.gateway.compose.composed(loaded, mesh=mesh, states=states) as gateway,
                console(settings, loaded, gateway, states) as served,
            ):
                yield Running(f"http://127.0.0.1:{served.port}", served, gateway, provider)
