"""Meshes whose ensembles are graphs of steps, and what they say."""

import json
from contextlib import AsyncExitStack, asynccontextmanager

from gremium.v1 import manifest_pb2
from services.config.load import load
from tests.mesh.meshes import MESHES, Gateway, gateway, model
from tests.upstream import Reply, upstream

FINDING = {"evidence": "", "pass": True, "score": 0.9}
PASS = Reply(text=json.dumps(dict.fromkeys(("hallucination", "safety", "logic"), FINDING)))
DIAMOND = {
    "facts": {"model": "facts", "goal": "List facts: {prompt}"},
    "risks": {"model": "risks", "goal": "List risks: {prompt}"},
    "answer": {
        "model": "writer",
        "goal": "Answer {prompt} with {facts}",
        "depends_on": ["facts", "risks"],
    },
}
FACTS, RISKS = Reply(text="Bees fly."), Reply(text="Bees sting.")


@asynccontextmanager
async def serving(transport, tmp_path):
    """Start a mesh with ensembles: `gateway = await serve({"main": …}, script)`."""
    async with AsyncExitStack() as started:

        async def start(ensembles, script=None, *, hung=(), embedder=None, **settings):
            provider = await started.enter_async_context(upstream(script or {}))
            names = {name for e in ensembles.values() for name in models_of(e)}
            models = {name: {**model(name, provider.url), "timeout_s": 5.0} for name in names}
            for name, more in settings.items():
                models[name].update(more)
            path = tmp_path / "gremium.yaml"
            embeddings = {"backend": "none"}
            if embedder:
                embeddings = {"backend": "openai", "model": embedder, "base_url": provider.url}
            config = {"models": models, "ensembles": ensembles, "embeddings": embeddings}
            path.write_text(json.dumps({**config, "default_ensemble": "main"}))
            loaded = load(path)
            mesh = await started.enter_async_context(MESHES[transport](loaded, hung))
            stub = await started.enter_async_context(gateway(loaded, mesh))
            return Gateway(stub, provider)

        yield start


def models_of(ensemble):
    judges = (ensemble.get("judge") or {}).get("models", [])
    tiers = [ensemble, *ensemble.get("tiers", [])]
    jurors = [juror["model"] for tier in tiers for juror in tier.get("jurors", [])]
    doers = [*ensemble.get("steps", {}).values(), *ensemble.get("specialists", {}).values()]
    lone = [ensemble.get(key) or {} for key in ("merge", "direct", "planner")]
    named = [part[key] for part in [*doers, *lone] for key in ("model", "fallback") if key in part]
    return [*judges, *jurors, *named]


def specialists(steps, **more):
    return {"main": {"pattern": "specialists", "steps": steps, **more}}


def asked(gateway, name):
    """All texts that a model was sent in its one call."""
    (body,) = [body for body in gateway.provider.requests if body["model"] == name]
    return "\n".join(
        message["content"] if isinstance(message["content"], str) else str(message["content"])
        for message in body["messages"]
    )


def jury_parts(manifest):
    return {p.tier: p for p in manifest.participations if p.stage == manifest_pb2.STAGE_JURY}


def statuses(manifest):
    return {
        tier: manifest_pb2.ParticipationStatus.Name(part.status)[21:]
        for tier, part in jury_parts(manifest).items()
    }


def span_of(part):
    began_s = part.start_time.ToNanoseconds() / 1e9
    return began_s, began_s + part.duration.ToNanoseconds() / 1e9
