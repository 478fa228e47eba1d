"""A soak: thirty minutes of mixed faults and early stops, and whether anything grows meanwhile.

    python bench/soak.py [--minutes 30] [--cancelled 100000] [--most-minutes 120] [--from FILE]

Five services in processes of their own, over stub models that answer, hang,
reset, drip and cut; callers who wait, leave and stop following. In turn a second
judge, router and aggregator are killed, and a second jury is frozen for a second;
what becomes of the requests beside each is counted apart. It goes on until the
time is over and so many calls of jurors were cancelled. Ctrl-C ends it early, and prints the table of
what there is. Samples go to bench/out/soak.jsonl as they come; `--from` prints
and draws such a file again.
"""

import argparse
import asyncio
import json
import pathlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field

import grpc

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "protos")]

from bench.soak_chart import draw  # noqa: E402 - the script puts its own project on the path
from bench.soak_faults import (  # noqa: E402
    FAULTS,
    MOST_UNEXCUSED,
    Outage,
    accounted,
    accounts_table,
    break_on,
    unexcused_share,
)
from bench.soak_load import MODES, Callers, Got, config  # noqa: E402
from bench.soak_report import judged, summary, table  # noqa: E402
from bench.soak_watch import Sample, Watched  # noqa: E402
from gremium.v1 import ensemble_pb2_grpc  # noqa: E402
from tests.fault.replicas import Cluster, Replica, cluster  # noqa: E402
from tests.fault.stubs import Stub, stub  # noqa: E402

OUT = ROOT / "bench" / "out"
PER_REQUEST = 2.0
"""Calls of jurors that a request of the mix has cancelled, about."""
WARM_UP_S = 3.0
TWICE = {fault.service: 2 for fault in FAULTS}
"""Services with a second replica, which is the one that breaks."""


@dataclass(frozen=True)
class Plan:
    """How long to soak, and how hard."""

    minutes: float = 30.0
    cancelled: int = 100_000
    """Calls of jurors to cancel at least, unless `most_minutes` are over."""
    most_minutes: float = 120.0

    @property
    def every_s(self) -> float:
        """Between two samples."""
        return min(5.0, self.minutes)

    @property
    def break_every_s(self) -> float:
        """Between the end of one fault and the next."""
        return min(12.0, 10 * self.minutes)

    @property
    def rate_per_s(self) -> float:
        """Requests a second that cancel as many as are wanted in the time."""
        return min(100.0, max(1.0, self.cancelled / PER_REQUEST / (60 * self.minutes)))


@dataclass
class Soak:
    """What was seen so far."""

    got: list[Got] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    cancelled: int = 0
    outages: list[Outage] = field(default_factory=list)
    keep: Callable[[Sample], object] = lambda _: None
    """Takes each sample as it comes."""


async def soaked(plan: Plan, folder: pathlib.Path, soak: Soak, *, out: pathlib.Path) -> None:
    """Load a mesh and watch it; `soak` has at any time what there is."""
    with ExitStack() as opened:
        kept = opened.enter_context(out.open("w", buffering=1))
        soak.keep = lambda sample: print(json.dumps(asdict(sample)), file=kept)
        provider = opened.enter_context(stub(MODES))
        mesh = opened.enter_context(cluster(folder, config(provider.url), TWICE))
        await asyncio.to_thread(mesh.start)
        async with callers(mesh, plan) as load:
            soak.got = load.got
            await _soak(plan, mesh, provider, load, soak)


@asynccontextmanager
async def callers(mesh: Cluster, plan: Plan) -> AsyncIterator[Callers]:
    """Callers over a channel of their own, after a first few requests that do not count."""
    async with grpc.aio.insecure_channel(mesh.address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        await Callers(stub, plan.rate_per_s).ask_on(time.monotonic() + WARM_UP_S)
        yield Callers(stub, plan.rate_per_s)


async def _soak(plan: Plan, mesh: Cluster, provider: Stub, load: Callers, soak: Soak) -> None:
    watched = [Watched(r.service, r.process.pid, r.log) for r in _watched(mesh) if r.process]
    until_s = load.began_s + 60 * plan.most_minutes
    asking = asyncio.create_task(load.ask_on(until_s))
    breaking = asyncio.create_task(
        break_on(mesh, plan.break_every_s, lambda: time.monotonic() - load.began_s, soak.outages)
    )
    try:
        while not _done(plan, soak, time.monotonic() - load.began_s):
            await asyncio.wait([asking, breaking], timeout=plan.every_s)
            for task in (asking, breaking):
                if task.done():
                    task.result()
            await _sample(watched, provider, load, soak)
    finally:
        for task in (asking, breaking):
            task.cancel()
        await asyncio.wait([asking, breaking], timeout=10.0)


def _watched(mesh: Cluster) -> list[Replica]:
    """One of each service; what breaks are the second ones."""
    return [mesh.one(service) for service in mesh.replicas]


def _done(plan: Plan, soak: Soak, took_s: float) -> bool:
    whole = len(soak.outages) >= len(FAULTS) and soak.cancelled >= plan.cancelled
    enough = took_s >= 60 * plan.minutes and whole
    return enough or took_s >= 60 * plan.most_minutes


async def _sample(watched: Sequence[Watched], provider: Stub, load: Callers, soak: Soak) -> None:
    seen = await asyncio.to_thread(provider.seen)
    await asyncio.to_thread(provider.reset)
    soak.cancelled += sum(seen.left.values())
    at_s = time.monotonic() - load.began_s
    found = await asyncio.gather(
        *(each.sample(at_s=at_s, cancelled=soak.cancelled) for each in watched)
    )
    for sample in found:
        soak.samples.append(sample)
        soak.keep(sample)


def told(soak: Soak, *, png: pathlib.Path) -> bool:
    """Print and draw what there is; says whether all of it holds."""
    lines, accounts = judged(soak.samples), accounted(soak.got, soak.outages)
    print(table(lines))
    if soak.got:
        print(summary(soak.got, cancelled=soak.cancelled))
        print(accounts_table(accounts))
        draw(soak.got, soak.samples, png)
        print(f"drawn: {png}")
    excused = unexcused_share(accounts) <= MOST_UNEXCUSED
    return bool(lines) and all(line.holds() for line in lines) and excused


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=Plan.minutes, help="least time")
    parser.add_argument("--cancelled", type=int, help="juror calls; 100,000 in 30 minutes")
    parser.add_argument("--most-minutes", type=float, default=Plan.most_minutes)
    parser.add_argument("--from", dest="saved", type=pathlib.Path, help="samples of an earlier run")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    soak = Soak()
    if options.saved:
        lines = options.saved.read_text().splitlines()
        soak.samples = [Sample(**json.loads(line)) for line in lines if line]
        return 0 if told(soak, png=OUT / "soak.png") else 1
    OUT.mkdir(parents=True, exist_ok=True)
    share = options.minutes / Plan.minutes
    cancelled = round(Plan.cancelled * share) if options.cancelled is None else options.cancelled
    plan = Plan(options.minutes, cancelled, max(options.minutes, options.most_minutes))
    try:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(soaked(plan, pathlib.Path(folder), soak, out=OUT / "soak.jsonl"))
    except KeyboardInterrupt:
        print("stopped early")
    return 0 if told(soak, png=OUT / "soak.png") else 1


if __name__ == "__main__":
    sys.exit(main())
