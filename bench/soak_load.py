"""The load of the soak: a configuration full of faults, and callers who come, wait or leave."""

import asyncio
import json
import random
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import grpc

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, types_pb2
from tests.fault.stubs import Mode

TIMEOUT_S = 3.0
FAST_S = 0.03
SLOW_S = 5.0
SEED = 18

MODES: Mapping[str, Mode] = {
    "fast": Mode(delay_s=FAST_S),
    "slow": Mode(delay_s=SLOW_S),
    "talking": Mode(text=" ".join(["word"] * 40), token_delay_s=0.02),
    "flapping": Mode(flaps=(3, 3)),
    "drip-slowly": Mode(kind="drip", drip_s=0.2),
}
"""Beside those that the stub knows by name: `hang`, `reset`, `cut`, `http-500`, `silent`, …"""

NEVER_LEFT_ALONE = {"window": 10_000, "min_calls": 10_000}
"""A breaker that does not open: the fault shall go on."""
LEFT_ALONE = frozenset({"http-500", "reset", "flapping"})
"""Models with the breaker that everybody has."""
JURIES: Mapping[str, tuple[str, ...]] = {
    "early": ("fast", "fast", "slow", "slow", "slow"),
    "faulty": ("fast", "fast", "hang", "reset", "http-500", "reset-after-headers"),
    "streamed": ("fast", "fast", "talking", "cut", "silent"),
    "flapping": ("fast", "fast", "flapping", "drip-slowly"),
    "judged": ("fast", "fast", "slow"),
}
"""Two of each answer at once, which is the quorum; the others are cut off."""
ACTIONS: Mapping[tuple[str, str], int] = {
    ("ask", "early"): 50,
    ("ask", "faulty"): 12,
    ("ask", "flapping"): 6,
    ("ask", "judged"): 8,
    ("follow", "streamed"): 6,
    ("leave", "early"): 8,
    ("leave", "hung"): 4,
    ("stop following", "streamed"): 6,
}
"""What callers do with which ensemble, and how often in a hundred."""


def config(url: str) -> str:
    """The configuration of the mesh under load."""
    names = sorted({name for jury in JURIES.values() for name in jury} | {"hang"})
    models = {name: _model(name, url) for name in names}
    models["judge"] = _model("verdict-pass", url)
    ensembles: dict[str, Any] = {name: _jury(jury, quorum=2) for name, jury in JURIES.items()}
    ensembles["judged"]["judge"] = {"models": ["judge"], "timeout_s": 1}
    ensembles["hung"] = _jury(("hang",), quorum=1)
    return json.dumps(
        {
            "models": models,
            "ensembles": ensembles,
            "default_ensemble": "early",
            "embeddings": {"backend": "none"},
        }
    )


def _model(called: str, url: str) -> dict[str, Any]:
    care = {} if called in LEFT_ALONE else {"breaker": NEVER_LEFT_ALONE}
    return {
        "backend": "openai",
        "model": called,
        "family": called,
        "base_url": url,
        "timeout_s": 10,
        "max_concurrent": 256,
        **care,
    }


def _jury(models: tuple[str, ...], *, quorum: int) -> dict[str, Any]:
    jurors = [{"model": model, "name": f"{model}-{nth}"} for nth, model in enumerate(models)]
    return {"pattern": "jury", "jurors": jurors, "quorum": quorum, "grace_s": 0.0}


ANSWERED, LEFT = "answered", "left"
WITHOUT_A_STAGE = "answered without a stage"
LOST = frozenset({"PEER_UNAVAILABLE", "STAGE_LOST"})
"""Reasons of a service that was not there."""


@dataclass(frozen=True)
class Got:
    """What one request came to."""

    at_s: float
    """Seconds since the load began, at its end."""
    took_s: float
    what: str
    """`answered`, with a stage or without, `left` on purpose, or the status of the error."""


@dataclass
class Callers:
    """Callers who ask at a rate, whatever becomes of the calls, and what they got."""

    stub: ensemble_pb2_grpc.EnsembleServiceStub
    rate_per_s: float
    began_s: float = field(default_factory=time.monotonic)
    got: list[Got] = field(default_factory=list)

    async def ask_on(self, until_s: float) -> None:
        """Ask until that point of the monotonic clock; afterwards all have ended."""
        chance = random.Random(SEED)  # noqa: S311 - a reproducible mix
        async with asyncio.TaskGroup() as calls:
            while (now := time.monotonic()) < until_s:
                (action,) = chance.choices(list(ACTIONS), list(ACTIONS.values()))
                calls.create_task(self._call(*action, patience_s=chance.uniform(0.005, 0.15)))
                await asyncio.sleep(min(chance.expovariate(self.rate_per_s), until_s - now))

    async def _call(self, action: str, ensemble: str, *, patience_s: float) -> None:
        began_s = time.monotonic()
        try:
            what = await self._act(action, request(ensemble), patience_s)
        except grpc.aio.AioRpcError as err:
            what = err.code().name
        now_s = time.monotonic()
        self.got.append(Got(now_s - self.began_s, now_s - began_s, what))

    async def _act(self, action: str, asked: ensemble_pb2.AskRequest, patience_s: float) -> str:
        match action:
            case "ask":
                return _answered(await self.stub.Ask(asked, timeout=TIMEOUT_S))
            case "leave":
                return await _left(self.stub.Ask(asked, timeout=TIMEOUT_S), patience_s)
            case _:
                stops = action == "stop following"
                return await self._follow(asked, patience_s if stops else None)

    async def _follow(self, asked: ensemble_pb2.AskRequest, patience_s: float | None) -> str:
        events = self.stub.AskStream(ensemble_pb2.AskStreamRequest(ask=asked), timeout=TIMEOUT_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(patience_s):
                async for event in events:
                    if event.HasField("final"):
                        return _answered(event.final)
                    if event.HasField("error"):
                        return str(event.error.code)
                return "ended without an answer"
        events.cancel()
        return LEFT


def _answered(reply: ensemble_pb2.AskResponse) -> str:
    """Whether every service did its part."""
    lost = any(part.reason in LOST for part in reply.manifest.participations)
    return WITHOUT_A_STAGE if lost else ANSWERED


async def _left(call: Any, patience_s: float) -> str:
    """Leave a call that takes too long for its caller."""
    done, _ = await asyncio.wait([asyncio.ensure_future(_settled(call))], timeout=patience_s)
    if done:
        return done.pop().result()
    call.cancel()
    return LEFT


async def _settled(call: Any) -> str:
    try:
        return _answered(await call)
    except asyncio.CancelledError:
        return LEFT
    except grpc.aio.AioRpcError as err:
        return str(err.code().name)


def request(ensemble: str) -> ensemble_pb2.AskRequest:
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text="2 + 2?")])
    return ensemble_pb2.AskRequest(ensemble=ensemble, prompt=types_pb2.Prompt(messages=[turn]))
