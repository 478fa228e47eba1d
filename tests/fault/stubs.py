"""A model provider in a process of its own, that hangs, drips, resets or lies over TCP.

    with stub({"four": Mode(delay_s=0.3)}) as provider:
        ...  # provider.url, provider.set("four", Mode(kind="hang")), provider.seen()

Modes go by model name; the names in MODES need no script. It speaks what
tests/upstream.py speaks, but writes the bytes itself, so it can break every
promise that HTTP makes.
"""

import json
import select
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from tests.running import environment, frozen

START_LIMIT_S = 20.0
ASK_LIMIT_S = 5.0
FINDING = {"evidence": "", "pass": True, "score": 0.9}
VERDICT = json.dumps({"hallucination": FINDING, "safety": FINDING, "logic": FINDING})


@dataclass(frozen=True)
class Mode:
    """What a model does when it is called."""

    kind: str = "answer"
    """`answer`; `hang` before headers; `silent` after headers; `drip` all of it, a byte at a
    time; `drip_body` only the body; `reset` at once; `reset_after_headers`; `cut` the reply."""
    text: str = "4"
    delay_s: float = 0.0
    """Before the reply."""
    slow_share: float = 0.0
    """Share of the calls, evenly spread, that take `slow_factor` times `delay_s`."""
    slow_factor: float = 10.0
    token_delay_s: float = 0.0
    """Before each token of a stream."""
    drip_s: float = 1.0
    """Between two bytes."""
    cut_after: int = 40
    """Tokens of a stream, or bytes of a body, after which the connection is reset."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    flaps: tuple[int, int] | None = None
    """Calls that go well and calls that get a 500, in turn."""
    served_model: str = ""
    tool_calls: tuple[Any, ...] = ()
    finish_reason: str | None = None
    reasoning: str = ""
    usage: Mapping[str, Any] | None = field(
        default_factory=lambda: {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12}
    )

    def at_call(self, nth: int) -> "Mode":
        """What it does at its nth call, counted from 0."""
        if self.flaps is not None and nth % sum(self.flaps) >= self.flaps[0]:
            return replace(self, status=500)
        is_slow = int((nth + 1) * self.slow_share) > int(nth * self.slow_share)
        return replace(self, delay_s=self.delay_s * self.slow_factor) if is_slow else self


SIXTY = " ".join(f"word{n}" for n in range(60))
MODES: Mapping[str, Mode] = {
    "hang": Mode(kind="hang"),
    "silent": Mode(kind="silent"),
    "drip": Mode(kind="drip"),
    "drip-body": Mode(kind="drip_body"),
    "reset": Mode(kind="reset"),
    "reset-after-headers": Mode(kind="reset_after_headers"),
    "cut": Mode(kind="cut", text=SIXTY),
    "http-500": Mode(status=500),
    "http-429": Mode(status=429),
    "http-429-47": Mode(status=429, headers={"Retry-After": "47"}),
    "verdict-pass": Mode(text=VERDICT),
}


@dataclass(frozen=True)
class Event:
    """Something the stub saw."""

    at: float
    """Seconds on `time.monotonic`, which is the same in all processes."""
    what: str
    """`arrived`, `answered` or `left`: the client closed before it had its reply."""
    model: str


@dataclass(frozen=True)
class Seen:
    """What the stub saw since it started or was last reset."""

    arrivals: Mapping[str, int]
    """Calls by model."""
    running: Mapping[str, int]
    """Calls underway by model."""
    most_running: Mapping[str, int]
    left: Mapping[str, int]
    """Calls by model whose client closed before it had its reply."""
    open_sockets: int
    """Connections of clients, idle ones too; without the one that asks."""
    events: tuple[Event, ...]

    @property
    def calls(self) -> int:
        return sum(self.arrivals.values())

    @property
    def underway(self) -> int:
        return sum(self.running.values())


@dataclass(frozen=True)
class Stub:
    """A running provider."""

    url: str
    """Base address with `/v1`."""
    process: subprocess.Popen[str]

    @property
    def pid(self) -> int:
        return self.process.pid

    def set(self, model: str, mode: Mode) -> None:
        """Change what a model does from its next call on."""
        self._ask("modes", {model: asdict(mode)})

    def reset(self) -> None:
        """Forget what was seen; calls underway stay counted as running."""
        self._ask("reset", {})

    def seen(self) -> Seen:
        told = self._ask("seen", {})
        return Seen(**{**told, "events": tuple(Event(*each) for each in told["events"])})

    def until(self, condition: Any, *, within_s: float = 5.0) -> Seen:
        """What was seen as soon as `condition` holds of it."""
        end = time.monotonic() + within_s
        while not condition(seen := self.seen()):
            if time.monotonic() > end:
                raise TimeoutError(f"not within {within_s} s: {seen}")
            time.sleep(0.01)
        return seen

    def frozen(self) -> AbstractContextManager[None]:
        """SIGSTOP until the block ends; `seen` does not answer meanwhile."""
        return frozen(self.pid)

    def _ask(self, what: str, body: Mapping[str, Any]) -> Any:
        url = f"{self.url.removesuffix('/v1')}/stub/{what}"
        asked = urllib.request.Request(url, json.dumps(body).encode(), method="POST")  # noqa: S310
        with urllib.request.urlopen(asked, timeout=ASK_LIMIT_S) as reply:  # noqa: S310
            return json.load(reply)


@contextmanager
def stub(modes: Mapping[str, Mode] | None = None, *, port: int = 0) -> Iterator[Stub]:
    """Serve until the block ends; models without a mode answer `4`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.fault.stub_server", str(port)],
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        running = Stub(_first_line(process), process)
        running._ask("modes", {name: asdict(mode) for name, mode in (modes or {}).items()})
        yield running
    finally:
        process.kill()
        process.wait(START_LIMIT_S)
        if process.stdout:
            process.stdout.close()


@contextmanager
def dead_port() -> Iterator[str]:
    """A base address that refuses connections: bound, so nobody else takes it, but not listening."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}/v1"


@contextmanager
def deaf_port() -> Iterator[str]:
    """A base address whose backlog is full: connecting to it never ends."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        filling = [socket.socket() for _ in range(4)]
        for each in filling:
            each.setblocking(False)
            each.connect_ex(listener.getsockname())
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        finally:
            for each in filling:
                each.close()


def _first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    ready, _, _ = select.select([process.stdout], [], [], START_LIMIT_S)
    if not ready or not (line := process.stdout.readline().strip()):
        raise TimeoutError("the stub did not start")
    return line
