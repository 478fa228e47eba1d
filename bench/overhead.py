"""What the mesh itself costs: a jury of three over models that answer in 20 ms.

    python bench/overhead.py [--requests 400] [--ensemble jury] [--json]
    python bench/overhead.py --against ../before

Five processes and one, at concurrency 1 and 32, beside a bare gRPC hop in the
same run. CPU is that of all the mesh's processes; the stub's and the load
generator's are left out. The request passes all five services: labels are
voted on, and the judge runs its deterministic checks without a model. The other
ensembles ask one model of two tiers.

`--against` names another checkout, which runs beside this one and is asked in
turns with it, so that a noisy machine strikes both alike: what counts is the ratio.
"""

import argparse
import asyncio
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import grpc

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "protos")]

from bench.measure import (  # noqa: E402 - the script puts its own project on the path
    Load,
    Target,
    in_turns,
    load,
    merged,
    ratio,
)
from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, types_pb2  # noqa: E402
from tests.running import Mesh, free_port, mesh_running  # noqa: E402

DELAY_MS = 20
WARM_UP = 50
TURN = 64
"""Requests of a turn."""
MODES: dict[str, Sequence[str]] = {"five processes": (), "one process": ("--one-process",)}
CALLS = {"jury": 3, "route": 1, "cascade": 1}
"""Calls to models that a request takes, by ensemble."""
CONFIG = """\
version: 1
models:
  a: {{backend: openai, model: stub, family: a, provider: x, base_url: "{url}", timeout_s: 5}}
  b: {{backend: openai, model: stub, family: b, provider: y, base_url: "{url}", timeout_s: 5}}
  c: {{backend: openai, model: stub, family: c, provider: z, base_url: "{url}", timeout_s: 5}}
default_ensemble: jury
ensembles:
  jury:
    pattern: jury
    quorum: 3
    jurors: [{{model: a}}, {{model: b}}, {{model: c}}]
    judge: {{}}
  route: &tiers
    pattern: route
    tiers: [{{name: first, jurors: [{{model: a}}]}}, {{name: second, jurors: [{{model: b}}]}}]
    judge: {{}}
  cascade: {{<<: *tiers, pattern: cascade, accept_at: 0.5}}
embeddings: {{backend: none}}
"""
REQUEST = ensemble_pb2.AskRequest(
    prompt=types_pb2.Prompt(
        messages=[
            types_pb2.Message(
                role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text="Is water wet? Yes or no.")]
            )
        ],
        output_format=types_pb2.OutputFormat(labels=types_pb2.LabelFormat(labels=["yes", "no"])),
    )
)


async def main() -> None:
    options = arguments()
    with stub() as url, tempfile.TemporaryDirectory() as folder:
        place = Place(pathlib.Path(folder), CONFIG.format(url=url))
        if options.against:
            rows = await compare(place, options)
        else:
            rows = await measure_hop(options.requests) + await measure(place, options)
    print(json.dumps(rows, indent=2) if options.json else table(rows))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=400, help="requests per row")
    parser.add_argument("--ensemble", choices=CALLS, default="jury", help="who is asked")
    parser.add_argument("--against", type=pathlib.Path, help="another checkout, asked in turns")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    return parser.parse_args()


@dataclass(frozen=True)
class Place:
    """Where meshes run, and what they are told."""

    folder: pathlib.Path
    config: str

    @contextmanager
    def mesh(self, mode: str, root: pathlib.Path = ROOT) -> Iterator[Mesh]:
        """Run a mesh of a checkout until the block ends."""
        path = {"PYTHONPATH": os.pathsep.join([str(root), str(root / "protos")])}
        own = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        with mesh_running(own, self.config, *MODES[mode], env=path) as mesh:
            yield mesh


@asynccontextmanager
async def target(mesh: Mesh, ensemble: str) -> AsyncIterator[Target]:
    """A mesh that is warm."""
    request = ensemble_pb2.AskRequest(ensemble=ensemble)
    request.MergeFrom(REQUEST)
    async with grpc.aio.insecure_channel(mesh.address) as channel:
        ask = ensemble_pb2_grpc.EnsembleServiceStub(channel).Ask

        async def call() -> float:
            return slowest_juror_s(await ask(request, timeout=10), calls=CALLS[ensemble])

        pids = sorted({int(str(service["pid"])) for service in mesh.services.values()})
        await load(call, requests=WARM_UP, concurrency=8, pids=pids)
        yield Target(call, pids)


async def measure(place: Place, options: argparse.Namespace) -> list[dict[str, object]]:
    rows = []
    for mode in MODES:
        with place.mesh(mode) as mesh:
            async with target(mesh, options.ensemble) as asked:
                for n in (1, 32):
                    cost = await load(
                        asked.call, requests=options.requests, concurrency=n, pids=asked.pids
                    )
                    rows.append(row(mode, n, cost))
    return rows


async def compare(place: Place, options: argparse.Namespace) -> list[dict[str, object]]:
    rows = []
    turns = max(2, options.requests // TURN)
    for mode in MODES:
        with place.mesh(mode) as ours, place.mesh(mode, options.against.resolve()) as theirs:
            async with (
                target(ours, options.ensemble) as one,
                target(theirs, options.ensemble) as other,
            ):
                for n in (1, 32):
                    costs = await in_turns([one, other], turns=turns, requests=TURN, concurrency=n)
                    rows.append(ratio_row(mode, n, *costs))
    return rows


def slowest_juror_s(reply: ensemble_pb2.AskResponse, *, calls: int) -> float:
    if reply.answer.text != "yes" or reply.manifest.model_calls != calls:
        raise RuntimeError(f"not the expected answer of {calls} jurors: {reply}")
    jurors = [p for p in reply.manifest.participations if p.model_calls]
    return max(p.duration.seconds + p.duration.nanos / 1e9 for p in jurors)


async def measure_hop(requests: int) -> list[dict[str, object]]:
    with started("bench/echo.py", port := free_port()) as pid:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            echo = channel.unary_unary("/Echo/Call")

            async def call() -> float:
                await echo(b"x" * 1000, timeout=10)
                return 0.0

            both = [pid, os.getpid()]
            await load(call, requests=WARM_UP, concurrency=8, pids=both)
            return [
                row(
                    "bare hop, both ends",
                    n,
                    await load(call, requests=4 * requests, concurrency=n, pids=both),
                )
                for n in (1, 32)
            ]


def row(mode: str, concurrency: int, cost: Load) -> dict[str, object]:
    return {
        "mode": mode,
        "concurrency": concurrency,
        "requests": len(cost.latencies_s),
        "cpu_ms_per_request": round(cost.cpu_ms_per_request, 2),
        "added_p10_ms": round(cost.latency_ms(10), 1),
        "added_p50_ms": round(cost.latency_ms(50), 1),
        "added_p99_ms": round(cost.latency_ms(99), 1),
        "rss_mib": round(cost.rss_bytes / 2**20),
    }


def ratio_row(
    mode: str, concurrency: int, ours: Sequence[Load], theirs: Sequence[Load]
) -> dict[str, object]:
    """What this checkout takes beside another: of several turns."""
    cpu, cpu_error = ratio([a.cpu_s for a in ours], [b.cpu_s for b in theirs])
    one, other = merged(ours), merged(theirs)
    return {
        "mode": mode,
        "concurrency": concurrency,
        "requests": len(one.latencies_s),
        "cpu_ms": round(one.cpu_ms_per_request, 2),
        "cpu_ms_before": round(other.cpu_ms_per_request, 2),
        "cpu_ratio": round(cpu, 3),
        "std_error": round(cpu_error, 3),
        "added_p50_ms": round(one.latency_ms(50), 2),
        "added_p50_ms_before": round(other.latency_ms(50), 2),
        "per_s": round(one.per_s, 1),
        "per_s_before": round(other.per_s, 1),
    }


def table(rows: list[dict[str, object]]) -> str:
    heads = list(rows[0])
    widths = [max(len(h), *(len(str(r[h])) for r in rows)) for h in heads]
    lines = [[*heads], *([str(r[h]) for h in heads] for r in rows)]
    return "\n".join(
        "  ".join(v.rjust(w) for v, w in zip(line, widths, strict=True)) for line in lines
    )


@contextmanager
def stub() -> Iterator[str]:
    port = free_port()
    with started("bench/stub_model.py", port, DELAY_MS):
        yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def started(script: str, port: int, *options: object) -> Iterator[int]:
    """Run a script of ours until the block ends; yields its process id once it listens."""
    process = subprocess.Popen([sys.executable, str(ROOT / script), str(port), *map(str, options)])
    try:
        wait_until_listening(port)
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)


def wait_until_listening(port: int, *, limit_s: float = 20) -> None:
    until = time.monotonic() + limit_s
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"nothing listens on port {port} after {limit_s} s")


if __name__ == "__main__":
    asyncio.run(main())
