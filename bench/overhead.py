"""What the mesh itself costs: a jury of three over models that answer in 20 ms.

    python bench/overhead.py [--requests 400] [--json]

Five processes and one, at concurrency 1 and 32, beside a bare gRPC hop in the
same run. CPU is that of all the mesh's processes; the stub's and the load
generator's are left out. The request passes all five services: labels are
voted on, and the judge runs its deterministic checks without a model.
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
from collections.abc import Iterator
from contextlib import contextmanager

import grpc

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "protos")]

from bench.measure import Load, load  # noqa: E402 - the script puts its own project on the path
from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, types_pb2  # noqa: E402
from tests.running import free_port, mesh_running  # noqa: E402

DELAY_MS = 20
WARM_UP = 50
CONFIG = """\
version: 1
models:
  a: {{backend: openai, model: stub, family: a, provider: x, base_url: "{url}", timeout_s: 5}}
  b: {{backend: openai, model: stub, family: b, provider: y, base_url: "{url}", timeout_s: 5}}
  c: {{backend: openai, model: stub, family: c, provider: z, base_url: "{url}", timeout_s: 5}}
ensembles:
  default:
    pattern: jury
    quorum: 3
    jurors: [{{model: a}}, {{model: b}}, {{model: c}}]
    judge: {{}}
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
    rows: list[dict[str, object]] = []
    with stub() as url, tempfile.TemporaryDirectory() as folder:
        rows += await measure_hop(options.requests)
        for mode, flags in (("five processes", ()), ("one process", ("--one-process",))):
            place = pathlib.Path(folder) / mode.replace(" ", "-")
            place.mkdir()
            with mesh_running(place, CONFIG.format(url=url), *flags) as mesh:
                pids = sorted({int(str(s["pid"])) for s in mesh.services.values()})
                rows += await measure_mesh(mode, mesh.address, pids, options.requests)
    print(json.dumps(rows, indent=2) if options.json else table(rows))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--requests", type=int, default=400, help="requests per row")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    return parser.parse_args()


async def measure_mesh(
    mode: str, address: str, pids: list[int], requests: int
) -> list[dict[str, object]]:
    async with grpc.aio.insecure_channel(address) as channel:
        ask = ensemble_pb2_grpc.EnsembleServiceStub(channel).Ask

        async def call() -> float:
            return slowest_juror_s(await ask(REQUEST, timeout=10))

        await load(call, requests=WARM_UP, concurrency=8, pids=pids)
        return [
            row(mode, n, await load(call, requests=requests, concurrency=n, pids=pids))
            for n in (1, 32)
        ]


def slowest_juror_s(reply: ensemble_pb2.AskResponse) -> float:
    if reply.answer.text != "yes" or reply.manifest.model_calls != 3:
        raise RuntimeError(f"not the expected answer of three jurors: {reply}")
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
