"""Callers who ask on and on, each for a text of his own, so that a wrong answer shows."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, types_pb2
from services.runtime.channels import SERVICE_CONFIG
from tests.upstream import Reply

END_LIMIT_S = 60.0


def echo(delay_s: float = 0.0):
    """A model that says the last word of what it is asked."""

    def reply(body: Mapping[str, Any]) -> Reply:
        return Reply(text=str(body["messages"][-1]["content"]).split()[-1], delay_s=delay_s)

    return reply


def asking(word: str, ensemble: str = "", request_id: str = "") -> ensemble_pb2.AskRequest:
    turn = types_pb2.Message(role=2, parts=[types_pb2.Part(text=f"Say {word}")])
    prompt = types_pb2.Prompt(messages=[turn])
    return ensemble_pb2.AskRequest(request_id=request_id, ensemble=ensemble, prompt=prompt)


@dataclass(frozen=True)
class Got:
    """What one request came to."""

    began_s: float
    """On the monotonic clock."""
    took_s: float
    word: str
    reply: ensemble_pb2.AskResponse | None
    error: grpc.RpcError | None
    accepted: bool
    """Whether the gateway took the call."""

    @property
    def ended_s(self) -> float:
        return self.began_s + self.took_s

    @property
    def right(self) -> bool:
        return self.reply is not None and self.reply.answer.text == self.word

    @property
    def whole(self) -> bool:
        return self.right and not self.reply.degraded


def asked(
    stub: ensemble_pb2_grpc.EnsembleServiceStub, word: str, ensemble: str, timeout_s: float, **sent
) -> Got:
    """Ask once."""
    began_s = time.monotonic()
    call = stub.Ask.future(asking(word, ensemble), timeout=timeout_s, **sent)
    error = call.exception()
    took_s = time.monotonic() - began_s
    accepted = error is None or ("gremium-taken", "1") in (call.initial_metadata() or ())
    return Got(began_s, took_s, word, None if error else call.result(), error, accepted)


@dataclass
class Load:
    """What the callers got so far."""

    got: list[Got] = field(default_factory=list)

    def since(self, began_s: float) -> list[Got]:
        return [each for each in self.got if each.began_s >= began_s]

    def underway_at(self, at_s: float) -> list[Got]:
        return [each for each in self.got if each.began_s < at_s < each.ended_s]


@contextmanager
def load(
    address: str, *, callers: int, ensemble: str, timeout_s: float = 10.0, pause_s: float = 0.0
) -> Iterator[Load]:
    """Keep so many callers busy while the block lasts; afterwards all have ended."""
    found, stop = Load(), threading.Event()

    def ask_on(nth: int) -> None:
        count = 0
        with grpc.insecure_channel(address, options=CLIENT) as channel:
            stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
            while not stop.is_set():
                count += 1
                found.got.append(asked(stub, f"{nth}x{count}", ensemble, timeout_s))
                stop.wait(pause_s)

    threads = [threading.Thread(target=ask_on, args=(n,), daemon=True) for n in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        stop.set()
        for thread in threads:
            thread.join(END_LIMIT_S)


CLIENT = (
    ("grpc.service_config", SERVICE_CONFIG),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 200),
    ("grpc.use_local_subchannel_pool", 1),
)
"""A client that watches the health of the gateways and asks again what none took, as clients in a
cluster should."""
