"""Fills a ledger with recorded requests, with feedback and shadows, for the report and the console.

    GREMIUM_DATA=../data python bench/fill.py FOLDER [--requests 300] [--serve]

Two thirds go to a jury of two good and five small models, and a sixth to a route
that is shadowed (questions of MMLU-Pro, in domains that others of its questions show;
tokens by the length of what was recorded); the others to a cascade (tool calls of BFCL,
with the tokens that were recorded). Prices are list prices of the time. Feedback says
what was right, by the recorded grades. FOLDER then has the configuration, the cassette
and the ledger:

    gremium report --config FOLDER/gremium.yaml

With --serve the mesh runs on until Ctrl-C.
"""

import argparse
import asyncio
import gzip
import itertools
import json
import os
import pathlib
import signal
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
import orjson

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "protos")]

from bench.canonical import tasks, tools  # noqa: E402 - the script puts its own project on the path
from bench.fill_mesh import CALLING, CHOOSING, config  # noqa: E402
from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2, types_pb2  # noqa: E402
from services.models.cassette import cassette_key  # noqa: E402
from services.runtime.wire import prompt_from_wire  # noqa: E402
from tests.running import Mesh, mesh_running  # noqa: E402

LIMIT_S = 60
IN_FLIGHT = 4
CHARS_PER_TOKEN = 4
LETTERS = "ABCDEFGHIJ"
EXAMPLES = 40
"""Of each domain."""
DOMAINS = {
    "sciences": ("math", "physics", "chemistry", "engineering", "computer science"),
    "life": ("biology", "health", "psychology"),
    "society": ("law", "history", "philosophy"),
    "money": ("business", "economics"),
}
"""Categories of MMLU-Pro by domain."""

Row = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True)
class Asked:
    """A question, what each model answered, and who was right."""

    id: str
    ensemble: str
    prompt: types_pb2.Prompt
    replies: Mapping[str, Row]
    """By model: `text` and `usage`."""
    right: Mapping[str, bool]
    """By model."""
    expected: str
    """What would have been right."""


def main() -> None:
    options = arguments()
    with filled(options.folder, options.data, requests=options.requests) as mesh:
        print(f"gremium report --config {options.folder}/gremium.yaml")
        if options.serve:
            print(f"the gateway serves on {mesh.address}; Ctrl-C stops it")
            for each in (signal.SIGINT, signal.SIGTERM):
                signal.signal(each, signal.default_int_handler)
            with suppress(KeyboardInterrupt):
                signal.pause()


def arguments() -> argparse.Namespace:
    data = os.environ.get("GREMIUM_DATA")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folder", type=pathlib.Path, help="where everything is written")
    parser.add_argument("--data", type=pathlib.Path, default=data, help="folder of recorded data")
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--serve", action="store_true", help="let the mesh run on")
    options = parser.parse_args()
    if options.data is None:
        parser.error("GREMIUM_DATA or --data names the folder of recorded data")
    return options


@contextmanager
def filled(
    folder: pathlib.Path, data: pathlib.Path, *options: str, requests: int = 300
) -> Iterator[Mesh]:
    """A mesh that serves, whose ledger has that many requests; `options` are those of `gremium up`."""
    folder.mkdir(parents=True, exist_ok=True)
    asked = questions(pathlib.Path(data), requests)
    write_cassette(asked, folder / "recorded.jsonl")
    domains = examples(pathlib.Path(data), {each.id.partition("-")[2] for each in asked})
    with mesh_running(folder, config(domains), *options) as mesh:
        asyncio.run(ask_all(mesh.address, asked))
        yield mesh


def questions(data: pathlib.Path, requests: int) -> list[Asked]:
    """The jury's, the cascade's and the route's, mixed as they would come."""
    cascade, route = requests // 6, requests // 6
    letters = _spread(multiple_choice(data), requests - cascade)
    named = ["panel"] * (len(letters) - route) + ["thrifty"] * route
    found = [choice(row, ensemble) for row, ensemble in zip(_mixed(letters, 7), named, strict=True)]
    calls = _spread(tasks(data / "jury/bfcl_25models.jsonl.gz"), cascade)
    return _mixed([*found, *map(tool_call, calls)], 3)


def _mixed(rows: Sequence[T], parts: int) -> list[T]:
    """The same in an order that goes through all parts of them at once."""
    size = -(-len(rows) // parts)
    cut = [rows[i : i + size] for i in range(0, len(rows), size)]
    missing = object()
    together = itertools.chain.from_iterable(itertools.zip_longest(*cut, fillvalue=missing))
    return [row for row in together if row is not missing]


def _spread(rows: Sequence[T], count: int) -> list[T]:
    """That many rows, evenly over all."""
    return list(rows[:: max(len(rows) // max(count, 1), 1)][:count])


def tool_call(row: Row) -> Asked:
    offered = [
        types_pb2.Tool(name=tool.name, parameters_schema_json=json.dumps(dict(tool.parameters)))
        for tool in tools(row)
    ]
    said = {model: row["answers"][model] for model in CALLING}
    return Asked(
        id=f"tools-{row['id']}",
        ensemble="tools",
        prompt=types_pb2.Prompt(messages=[_turn(row["question"])], tools=offered),
        replies={
            model: {
                "text": each["raw"] or "",
                "usage": {"input_tokens": each["in"] or 0, "output_tokens": each["out"] or 0},
            }
            for model, each in said.items()
        },
        right={model: bool(each["valid"] or each["ok"]) for model, each in said.items()},
        expected=json.dumps(row["gold"]),
    )


def multiple_choice(data: pathlib.Path) -> list[Row]:
    """Questions that every model of the tiers was run on, with their answers by model."""
    named = json.loads((data / "routing/mmlupro_29models.models.json").read_text())
    at = {model: i for i, model in enumerate(named["models_in_pred_order"])}
    path = data / "routing/mmlupro_29models.jsonl.gz"
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).split(b"\n") if line]
    read = (
        {**row, "said": {m: (row["pred"][at[m]], row["out_chars"][at[m]]) for m in CHOOSING}}
        for row in rows
    )
    return [row for row in read if all(letter != "?" for letter, _ in row["said"].values())]


def examples(data: pathlib.Path, asked: Collection[str]) -> dict[str, list[str]]:
    """Questions by domain that nobody is asked here."""
    left = [row for row in multiple_choice(data) if str(row["id"]) not in asked]
    of_domain = {
        domain: [row["question"] for row in left if row["category"] in categories]
        for domain, categories in DOMAINS.items()
    }
    return {domain: _spread(found, EXAMPLES) for domain, found in of_domain.items()}


def choice(row: Row, ensemble: str) -> Asked:
    options = "\n".join(f"{a}. {text}" for a, text in zip(LETTERS, row["options"], strict=False))
    text = f"{row['question']}\n\n{options}\n\nAnswer with the letter alone."
    labels = types_pb2.LabelFormat(labels=LETTERS[: len(row["options"])])
    return Asked(
        id=f"{ensemble}-{row['id']}",
        ensemble=ensemble,
        prompt=types_pb2.Prompt(
            messages=[_turn(text)], output_format=types_pb2.OutputFormat(labels=labels)
        ),
        replies={
            model: {
                "text": letter.replace("-", "I found no answer."),
                "usage": {
                    "input_tokens": len(text) // CHARS_PER_TOKEN,
                    "output_tokens": max(chars // CHARS_PER_TOKEN, 1),
                },
            }
            for model, (letter, chars) in row["said"].items()
        },
        right={model: letter == row["gold"] for model, (letter, _) in row["said"].items()},
        expected=row["gold"],
    )


def _turn(text: str) -> types_pb2.Message:
    return types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text=text)])


def write_cassette(asked: Sequence[Asked], path: pathlib.Path) -> None:
    with path.open("wb") as file:
        for each in asked:
            prompt = prompt_from_wire(each.prompt)
            for model, reply in each.replies.items():
                line = {"key": cassette_key(prompt, model), "model": model, **reply}
                file.write(orjson.dumps(line) + b"\n")


async def ask_all(address: str, asked: Sequence[Asked]) -> None:
    """Ask and tell, several at once; when the mesh stops it ends its shadows."""
    left = iter(asked)
    async with grpc.aio.insecure_channel(address) as channel:
        stub = ensemble_pb2_grpc.EnsembleServiceStub(channel)
        async with asyncio.TaskGroup() as clients:
            for _ in range(IN_FLIGHT):
                clients.create_task(client(stub, left))


async def client(stub: ensemble_pb2_grpc.EnsembleServiceStub, left: Iterator[Asked]) -> None:
    for each in left:
        await ask(stub, each)


async def ask(stub: ensemble_pb2_grpc.EnsembleServiceStub, each: Asked) -> None:
    request = ensemble_pb2.AskRequest(
        request_id=each.id.replace("/", "-"),
        ensemble=each.ensemble,
        prompt=each.prompt,
        labels={"set": each.id.partition("-")[0]},
    )
    try:
        reply = await stub.Ask(request, timeout=LIMIT_S)
    except grpc.aio.AioRpcError as err:
        if err.code() is not grpc.StatusCode.ABORTED:
            raise
        return  # too few gave an answer: recorded as such
    said = feedback(each, reply.manifest)
    told = ensemble_pb2.SubmitFeedbackRequest(request_id=request.request_id, feedback=said)
    await stub.SubmitFeedback(told, timeout=LIMIT_S)


def feedback(each: Asked, manifest: manifest_pb2.Manifest) -> manifest_pb2.Feedback:
    """What the recorded grades say: right, or else whose answer would have been."""
    votes = [(tally.tier, vote) for tally in manifest.tallies for vote in tally.ballots]
    said = {(tier, vote.juror): vote.key for tier, vote in votes}
    given = said.get((manifest.chosen_tier, manifest.chosen_juror))
    if each.right.get(manifest.chosen_juror):
        return manifest_pb2.Feedback(
            score=1.0, kind=manifest_pb2.FEEDBACK_KIND_CORRECT, source="recorded grades"
        )
    right = ((tier, juror) for (tier, juror), key in said.items() if key != given)
    better = next((found for found in right if each.right.get(found[1])), ("", ""))
    return manifest_pb2.Feedback(
        score=0.0,
        kind=manifest_pb2.FEEDBACK_KIND_INCORRECT,
        preferred_juror=better[1],
        preferred_tier=better[0],
        expected="" if better[1] else each.expected,
        source="recorded grades",
    )


if __name__ == "__main__":
    main()
