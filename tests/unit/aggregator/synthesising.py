"""An aggregator whose synthesisers read their lines from a script."""

import hashlib
import json
from contextlib import asynccontextmanager
from pathlib import Path

from aggregator_svc.compose import composed
from gremium.v1 import aggregator_pb2, types_pb2
from services.config.tree import Config, LoadedConfig
from services.core.deadline import Deadline
from services.runtime.local import call_local
from services.runtime.rules import check
from services.runtime.wire import duration_to_wire
from tests.upstream import Reply, upstream

AGGREGATE = "/gremium.v1.AggregatorService/Aggregate"
FAMILIES = {"own": "gpt", "first": "claude", "second": "gemini"}
BRIDGE = (
    "The bridge opened in 1901 and carries two rail tracks over the river.",
    "The bridge over the river opened in 1901; it is made of steel.",
    "It carries two rail tracks over the river and was paid for by the city.",
)
"""Three answers that agree in part, each a class of its own."""
WHOLE = "The steel bridge opened in 1901; the city paid for it, and it carries two rail tracks."


def draft(answer=WHOLE, sources=(1, 2, 3), **more):
    return Reply(json.dumps({"answer": answer, "sources": list(sources), **more}))


def loaded(url):
    common = {
        "backend": "openai",
        "base_url": url,
        "timeout_s": 5.0,
        "retry": {"max_attempts": 1},
        "price": {"input_usd_per_mtok": 100.0, "output_usd_per_mtok": 1000.0},
    }
    models = {name: {**common, "model": name, "family": f} for name, f in FAMILIES.items()}
    jurors = [{"model": "own", "name": name} for name in ("a", "b")]
    synthesis = {"models": ["first", "second"]}
    ensemble = {"pattern": "jury", "jurors": jurors, "synthesis": synthesis}
    config = Config.model_validate(
        {"models": models, "ensembles": {"main": ensemble}, "embeddings": {"backend": "none"}}
    )
    digest = hashlib.sha256(b"").hexdigest()
    return LoadedConfig(config=config, path=Path("gremium.yaml"), sha256=digest)


@asynccontextmanager
async def synthesising(**script):
    """An aggregator behind its checks, and a function that lets it put answers together."""
    async with (
        upstream(script) as server,
        composed(loaded(server.url), engines={}) as aggregator,
    ):

        async def aggregate(request=None, *, left_s=10.0):
            reply = await call_local(
                aggregator.Aggregate,
                request or wanted(),
                deadline=Deadline.after(left_s),
                method=AGGREGATE,
            )
            check(reply)
            return reply

        yield server, aggregate


def wanted(
    *texts,
    models=("first",),
    timeout_s=5.0,
    lease=None,
    question="Tell me about the bridge.",
    max_output_tokens=None,
    form=None,
    given=(),
    **fields,
):
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text=question)])
    answers = [
        types_pb2.Answer(juror=f"j{i}", model="own", family="gpt", text=text)
        for i, text in enumerate(texts or BRIDGE)
    ]
    return aggregator_pb2.AggregateRequest(
        answers=given or answers,
        output_format=form,
        lease=lease,
        synthesis=aggregator_pb2.SynthesisSpec(
            models=models,
            timeout=duration_to_wire(timeout_s),
            max_output_tokens=max_output_tokens,
            prompt=types_pb2.Prompt(messages=[turn]),
        ),
        **fields,
    )
