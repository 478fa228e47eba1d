"""Callers that ask a gateway without pause, ask again what it left untold, and keep what they were told."""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import grpc

from gremium.v1 import ensemble_pb2_grpc, manifest_pb2
from services.runtime.status import BROKEN_OFF
from tests.fault.five import request, told

TIMEOUT_S = 10.0
END_S = 30.0
UNTOLD = BROKEN_OFF | {grpc.StatusCode.DEADLINE_EXCEEDED}
"""How a call ends of which nobody can say how its request did."""
PAUSE_S = 0.02
AGAIN = 0.7
"""How often a caller asks again, under the same request_id, what it got no reply to."""


@dataclass
class Told:
    """What callers were told, by request_id."""

    replies: dict[str, manifest_pb2.Manifest] = field(default_factory=dict)
    interrupted: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    """Reasons of other errors, which the gateway gave itself."""
    sent: set[str] = field(default_factory=set)
    replayed: int = 0


class Callers:
    """As many threads as `count`, each of which waits for its reply before it asks again."""

    def __init__(
        self, address: str, *, count: int, seed: int, timeout_s: float = TIMEOUT_S
    ) -> None:
        self.told = Told()
        self._address, self._timeout_s = address, timeout_s
        self._stop, self._heard = threading.Event(), threading.Condition()
        self._threads = [
            threading.Thread(target=self._call, args=(f"{seed}-{nth}",), daemon=True)
            for nth in range(count)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(END_S)
        assert not any(thread.is_alive() for thread in self._threads), "a caller hangs"

    def until_more(self, *, within_s: float) -> None:
        """Wait until somebody got a reply."""
        before = len(self.told.replies)
        self._until(lambda: len(self.told.replies) > before, within_s)

    def until_refused(self, reason: str, *, within_s: float) -> None:
        """Wait until somebody was refused for this reason."""
        self._until(lambda: reason in self.told.refused.values(), within_s)

    def _until(self, condition: Callable[[], bool], within_s: float) -> None:
        with self._heard:
            heard = self._heard.wait_for(condition, within_s)
        assert heard, f"not within {within_s} s; refused: {list(self.told.refused.items())[-3:]}"

    def _call(self, name: str) -> None:
        rng = random.Random(name)  # noqa: S311 - a test that can be repeated
        options = [
            ("grpc.initial_reconnect_backoff_ms", 20),
            ("grpc.max_reconnect_backoff_ms", 100),
        ]
        with grpc.insecure_channel(self._address, options=options) as channel:
            stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
            nth = 0
            while not self._stop.is_set():
                nth += 1
                asked = request(request_id=f"{name}-{nth}")
                while not self._ended(stub, asked) and rng.random() < AGAIN:
                    if self._stop.wait(PAUSE_S):
                        return

    def _ended(self, stub: Any, asked: Any) -> bool:
        """Whether the caller now knows how its request ended."""
        self.told.sent.add(asked.request_id)
        try:
            reply = stub.Ask(asked, timeout=self._timeout_s, wait_for_ready=True)
        except grpc.RpcError as err:
            return self._failed(asked.request_id, err)
        self._hear(self.told.replies, asked.request_id, reply.manifest)
        self.told.replayed += reply.replayed
        return True

    def _failed(self, request_id: str, error: Any) -> bool:
        if error.code() in UNTOLD:
            return False
        _, reason, _ = told(error)
        if reason == "INTERRUPTED":
            self.told.interrupted.add(request_id)
        else:
            self._hear(self.told.refused, request_id, reason)
            self._stop.wait(PAUSE_S)
        return True

    def _hear(self, heard: dict[str, Any], request_id: str, what: object) -> None:
        with self._heard:
            heard[request_id] = what
            self._heard.notify_all()
