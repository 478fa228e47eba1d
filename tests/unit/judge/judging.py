"""A judge over scripted providers, and requests with one thing set at a time."""

import hashlib
from contextlib import asynccontextmanager
from pathlib import Path

from gremium.v1 import judge_pb2, manifest_pb2, types_pb2
from judge_svc.compose import composed
from services.config.tree import Config, LoadedConfig
from services.core.deadline import Deadline
from services.runtime.local import call_local
from services.runtime.rules import check
from services.runtime.wire import duration_to_wire
from tests.unit.judge.cases import verdict_json
from tests.upstream import Reply, upstream

VERIFY = "/gremium.v1.JudgeService/Verify"
PASS, FAIL, UNJUDGED = (
    manifest_pb2.VERDICT_KIND_PASS,
    manifest_pb2.VERDICT_KIND_FAIL,
    manifest_pb2.VERDICT_KIND_UNJUDGED,
)
GOOD = Reply(verdict_json())
FAMILIES = {"own": "gpt", "first": "claude", "second": "gemini"}


def loaded(url, *, free=(), sighted=()):
    common = {
        "backend": "openai",
        "base_url": url,
        "timeout_s": 5.0,
        "retry": {"max_attempts": 1},
        "price": {"input_usd_per_mtok": 100.0, "output_usd_per_mtok": 1000.0},
    }
    models = {name: {**common, "model": name, "family": f} for name, f in FAMILIES.items()}
    models.update({name: {**models[name], "price": {}} for name in free})
    models.update({name: {**models[name], "images": True} for name in sighted})
    ensembles = {"default": {"pattern": "jury", "jurors": [{"model": "own"}]}}
    return LoadedConfig(
        config=Config.model_validate({"models": models, "ensembles": ensembles}),
        path=Path("gremium.yaml"),
        sha256=hashlib.sha256(b"").hexdigest(),
    )


@asynccontextmanager
async def judging(*, free=(), sighted=(), **script):
    """A judge whose models read their lines from a script, and a function that asks it."""
    async with (
        upstream(script) as server,
        composed(loaded(server.url, free=free, sighted=sighted), engines={}) as judge,
    ):

        async def verify(request=None, *, left_s=10.0):
            reply = await call_local(
                judge.Verify,
                request or wanted(),
                deadline=Deadline.after(left_s),
                method=VERIFY,
            )
            check(reply)
            return reply

        yield server, verify


def wanted(
    text="It is 42.",
    *,
    models=("first",),
    family="gpt",
    timeout_s=5.0,
    criteria=(),
    min_score=None,
    lease=None,
    question="What is 6 x 7?",
):
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text=question)])
    return judge_pb2.VerifyRequest(
        prompt=types_pb2.Prompt(messages=[turn]),
        answer=types_pb2.Answer(juror="a", model="own", family=family, text=text),
        judge=judge_pb2.JudgeSpec(
            models=models,
            timeout=duration_to_wire(timeout_s),
            criteria=criteria,
            min_score=min_score,
        ),
        lease=lease,
    )
