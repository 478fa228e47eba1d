"""Patterns over recorded answers: accuracy, cost and calls, beside each single model and the oracle.

    GREMIUM_DATA=../data python bench/recorded.py [--questions 500] [--results build/recorded]

The questions go through five real processes; the models are recordings, so
the figures can be had again, and the seconds are the mesh's own. An answer
counts by the recorded grade of the juror that was chosen; no answer counts as
wrong. A run that was stopped goes on where it was; wall time is that of all its
parts together, and left out where an older version did not keep it. Writes a
table and a PNG.
"""

import argparse
import asyncio
import hashlib
import json
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import grpc
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "protos")]

import yaml  # noqa: E402 - the script puts its own project on the path

from bench import chart, frontier  # noqa: E402
from bench.frontier import Row  # noqa: E402
from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2, types_pb2  # noqa: E402
from services.cli.errors import INTERRUPTED  # noqa: E402
from tests.running import mesh_running  # noqa: E402

IN_FLIGHT = 4
LIMIT_S = 60
ENDED = (grpc.StatusCode.ABORTED, grpc.StatusCode.FAILED_PRECONDITION)
"""How a request ends whose jurors gave too little: no answer, but an outcome to count."""

NEEDED = {"id", "juror", "score", "usd", "calls", "s"}
"""What the table cannot do without; the wall time it can."""

Result = dict[str, Any]
Line = dict[str, Any]
Tell = Callable[[], None]


def main() -> None:
    options = arguments()
    asked, others = frontier.questions(options.data, options.questions)
    text = frontier.config(others, options.data)
    config = yaml.safe_load(text)
    kept = [Kept(options.results, name, config, asked) for name in config["ensembles"]]
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder)
        frontier.write_cassette(asked, place / "frontier.jsonl")
        with mesh_running(place, text) as mesh:
            asyncio.run(ask_all(mesh.address, kept))
    show(asked, kept, options.results)


def run() -> int:
    """Exit code of the whole; whoever stops it is told what becomes of the results."""
    try:
        main()
    except KeyboardInterrupt:
        print("stopped; the next run goes on where this one was", file=sys.stderr)
        return INTERRUPTED
    return 0


def show(asked: Sequence[Row], kept: Sequence["Kept"], results: pathlib.Path) -> None:
    lines = [*singles(asked), oracle(asked), *(pattern(each) for each in kept)]
    print(table(lines))
    (results / "table.md").write_text(table(lines) + "\n")
    chart.draw(lines, results / "cost-accuracy.png", questions=len(asked))


def arguments() -> argparse.Namespace:
    data = os.environ.get("GREMIUM_DATA")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", type=pathlib.Path, default=data, help="folder of recorded data")
    parser.add_argument("--questions", type=int, default=500)
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "build/recorded")
    options = parser.parse_args()
    if options.data is None:
        parser.error("GREMIUM_DATA or --data names the folder of recorded data")
    options.results.mkdir(parents=True, exist_ok=True)
    return options


class Kept:
    """Results of one ensemble, a line each, so that a later run need not ask again.

    What was asked of another configuration is in another file. A line that was
    cut off, or lacks what is needed now, is dropped, and its question asked again.
    """

    def __init__(
        self, folder: pathlib.Path, ensemble: str, config: Row, rows: Sequence[Row]
    ) -> None:
        about = [config["models"], config["ensembles"][ensemble], [row["id"] for row in rows]]
        digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]
        self.ensemble = ensemble
        self._path = folder / f"{ensemble}-{digest}.jsonl"
        self.results = mended(self._path)
        done = {result["id"] for result in self.results}
        self._since = time.perf_counter()
        self.missing = [row for row in rows if row["id"] not in done]

    def begin(self) -> None:
        """Start the clock of a run."""
        self._since = time.perf_counter()

    def add(self, result: Result) -> None:
        """Keep a result, with the time since the one before: these add up to the run's."""
        now = time.perf_counter()
        result = {**result, "since_last_s": round(now - self._since, 4)}
        self._since = now
        self.results.append(result)
        with self._path.open("a") as file:
            file.write(json.dumps(result) + "\n")


def mended(path: pathlib.Path) -> list[Result]:
    """The sound results of a file, which afterwards holds nothing else, each on a whole line."""
    if not path.exists():
        return []
    text = path.read_text(errors="replace")
    found = [result for line in text.splitlines() if (result := sound(line))]
    whole = "".join(f"{json.dumps(result)}\n" for result in found)
    if whole != text:
        beside = path.with_suffix(".new")
        beside.write_text(whole)
        beside.replace(path)
    return found


def sound(line: str) -> Result | None:
    """The result on a line, if there is a whole one."""
    try:
        result = json.loads(line)
    except ValueError:
        return None
    return result if isinstance(result, dict) and result.keys() >= NEEDED else None


async def ask_all(address: str, kept: Sequence[Kept]) -> None:
    columns = (
        TextColumn("{task.description:<12}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    async with grpc.aio.insecure_channel(address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        with Progress(*columns) as progress:
            for each in kept:
                done = len(each.results)
                total = done + len(each.missing)
                bar = progress.add_task(each.ensemble, total=total, completed=done)
                await ask_missing(stub, each, partial(progress.advance, bar))


async def ask_missing(stub: ensemble_pb2_grpc.EnsembleServiceStub, kept: Kept, tell: Tell) -> None:
    left = iter(kept.missing)
    kept.begin()
    async with asyncio.TaskGroup() as clients:
        for _ in range(IN_FLIGHT):
            clients.create_task(client(stub, left, kept, tell))


async def client(
    stub: ensemble_pb2_grpc.EnsembleServiceStub, left: Iterator[Row], kept: Kept, tell: Tell
) -> None:
    for row in left:
        began = time.perf_counter()
        found = await answered(stub, kept.ensemble, row)
        kept.add({**found, "s": round(time.perf_counter() - began, 4)})
        tell()


async def answered(stub: ensemble_pb2_grpc.EnsembleServiceStub, ensemble: str, row: Row) -> Result:
    """How one question ends; what was spent counts even where there is no answer."""
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text=row["query"])])
    prompt = types_pb2.Prompt(messages=[turn])
    asked = f"{ensemble}/{row['id']}".replace("/", "-")
    request = ensemble_pb2.AskRequest(prompt=prompt, ensemble=ensemble, request_id=asked)
    score, juror = 0.0, ""
    try:
        reply = await stub.Ask(request, timeout=LIMIT_S)
    except grpc.aio.AioRpcError as err:
        if err.code() not in ENDED:
            raise
        wanted = ensemble_pb2.GetManifestRequest(request_id=asked)
        manifest = (await stub.GetManifest(wanted, timeout=LIMIT_S)).manifest
        outcome = manifest.error.reason
    else:
        manifest, juror = reply.manifest, reply.answer.juror
        outcome = manifest_pb2.Outcome.Name(reply.outcome).removeprefix("OUTCOME_")
        score = row["models"][juror]["score"] if reply.HasField("answer") else 0.0
    return {
        "id": row["id"],
        "outcome": outcome,
        "juror": juror,
        "score": score,
        "usd": manifest.cost_usd,
        "calls": manifest.model_calls,
    }


def singles(rows: Sequence[Row]) -> list[Line]:
    """Each model alone, as recorded."""
    return [
        {
            "who": model,
            "kind": "model",
            "accuracy": frontier.accuracy(rows, model),
            "answered": sum(bool(row["models"][model]["out"]) for row in rows) / len(rows),
            "usd": sum(row["models"][model]["cost"] for row in rows),
            "calls": len(rows),
        }
        for model in frontier.FAMILIES
    ]


def oracle(rows: Sequence[Row]) -> Line:
    """Who always asks the cheapest model that is right; where none is, the cheapest."""
    chosen = [
        min(row["models"].values(), key=lambda each: (-each["score"], each["cost"])) for row in rows
    ]
    return {
        "who": "oracle",
        "kind": "oracle",
        "accuracy": sum(each["score"] for each in chosen) / len(rows),
        "answered": 1.0,
        "usd": sum(each["cost"] for each in chosen),
        "calls": len(rows),
    }


def pattern(kept: Kept) -> Line:
    """What the mesh made of the recordings."""
    results = kept.results
    count = len(results)
    seconds = sorted(r["s"] for r in results)
    between = [r["since_last_s"] for r in results if "since_last_s" in r]
    wall = {"wall_s": sum(between)} if len(between) == count else {}
    return {
        "who": kept.ensemble,
        "kind": "pattern",
        "accuracy": sum(r["score"] for r in results) / count,
        "answered": sum(bool(r["juror"]) for r in results) / count,
        "usd": sum(r["usd"] for r in results),
        "calls": sum(r["calls"] for r in results),
        **wall,
        "p50_ms": 1000 * seconds[count // 2],
        "p99_ms": 1000 * seconds[min(count - 1, count * 99 // 100)],
    }


def table(lines: Sequence[Line]) -> str:
    told = ["| who | accuracy | answered | USD | calls | wall s | p50 ms | p99 ms |"]
    told.append("|---|" + "---:|" * 7)
    for line in lines:
        cells = [
            f"{100 * line['accuracy']:.1f} %",
            f"{100 * line['answered']:.0f} %",
            f"{line['usd']:.2f}",
            str(line["calls"]),
            *(f"{line[key]:.0f}" if key in line else "" for key in ("wall_s", "p50_ms", "p99_ms")),
        ]
        told.append(f"| {' | '.join([line['who'], *cells])} |")
    return "\n".join(told)


if __name__ == "__main__":
    sys.exit(run())
