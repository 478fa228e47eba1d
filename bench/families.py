"""Two small local families, asked ten plain questions: two cascades, a route and a jury of both.

    GREMIUM_TEST_GGUF=qwen.gguf python bench/families.py [--json] [--ensembles cascade,jury]

SmolLM2-135M is the embedded model; the second family is any GGUF, by default
called Qwen. Each judges what the other wrote; in `agreement` nobody judges.
Right and wrong are told by the words that an answer must have, so read the
answers too.
"""

import argparse
import asyncio
import json
import os
import pathlib
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from rich.progress import Progress

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "protos")]

from gremium.v1 import ensemble_pb2, ensemble_pb2_grpc, manifest_pb2, types_pb2  # noqa: E402 - the script puts its own project on the path
from services.runtime.wire import duration_from_wire  # noqa: E402
from tests.running import mesh_running  # noqa: E402

LIMIT_S = 120
QUESTIONS: Mapping[str, str] = {
    "What is the capital of France?": r"\bParis\b",
    "What is 7 times 8?": r"\b56\b",
    "Which planet is known as the Red Planet?": r"\bMars\b",
    "How many days are there in a leap year?": r"\b366\b",
    "Who wrote the play Romeo and Juliet?": r"\bShakespeare\b",
    "What is the chemical formula of water?": r"\bH(2|₂|_2)O\b",
    "What is the opposite of 'hot'?": r"\bcold\b",
    "In which year did the Second World War end?": r"\b1945\b",
    "What is the largest ocean on Earth?": r"\bPacific\b",
    "A train leaves at 14:30 and arrives at 16:15. How many minutes does it take?": r"\b105\b",
}
"""A pattern that a right answer has, by question."""
MODELS = """\
version: 1
models:
  smollm2: {{backend: local, model: smollm2-135m, family: smollm, timeout_s: 60, context_tokens: 4096, max_output_tokens: 160, adequacy: 0.3, tools: false}}
  qwen: {{backend: local, model: {gguf}, family: qwen, timeout_s: 60, context_tokens: 4096, max_output_tokens: 160, adequacy: 0.6, tools: false}}
default_ensemble: jury
ensembles:
  jury:
    pattern: jury
    jurors: [{{model: smollm2, instruction: Answer in one plain sentence.}}, {{model: qwen, instruction: Answer in one plain sentence.}}]
    quorum: 2
    judge: &judge {{models: [qwen, smollm2], timeout_s: 60, criteria: [logic]}}
    deliver_rejected: true
  cascade:
    pattern: cascade
    accept_at: 0.7 # of the judge's score
    tiers: &tiers
      - {{name: small, jurors: [{{model: smollm2, instruction: Answer in one plain sentence.}}]}}
      - {{name: larger, jurors: [{{model: qwen, instruction: Answer in one plain sentence.}}]}}
    judge: *judge
    deliver_rejected: true
  agreement: # no judge model: the second one confirms the first, or its own answer is given
    pattern: cascade
    tiers: *tiers
    judge: {{}}
    deliver_rejected: true
  route:
    pattern: route
    min_adequacy: 0.2 # so that the small one is asked first
    tiers: *tiers
    judge: *judge
    deliver_rejected: true
"""


def config(gguf: str) -> str:
    """The configuration of both families; `gguf` is the second one's file."""
    return MODELS.format(gguf=json.dumps(gguf))


async def main() -> None:
    options = arguments()
    with (
        tempfile.TemporaryDirectory() as folder,
        mesh_running(pathlib.Path(folder), config(options.gguf)) as mesh,
    ):
        rows = await asked(mesh.address, options.ensembles.split(","))
    print(json.dumps(rows, indent=2, ensure_ascii=False) if options.json else table(rows))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--gguf", default=os.environ.get("GREMIUM_TEST_GGUF"), help="second family")
    parser.add_argument("--ensembles", default="cascade,agreement,route,jury")
    parser.add_argument("--json", action="store_true", help="print rows as JSON")
    options = parser.parse_args()
    if not options.gguf:
        parser.error("GREMIUM_TEST_GGUF or --gguf names the second family's file")
    return options


async def asked(address: str, ensembles: Sequence[str]) -> list[dict[str, Any]]:
    """Ask each ensemble each question, one after the other: the two engines share the CPU."""
    rows = []
    with Progress(transient=True) as progress:
        bar = progress.add_task("asking", total=len(ensembles) * len(QUESTIONS))
        async with grpc.aio.insecure_channel(address) as channel:
            ask = ensemble_pb2_grpc.EnsembleServiceStub(channel).Ask
            for ensemble in ensembles:
                for question in QUESTIONS:
                    reply = await ask(request(question, ensemble), timeout=LIMIT_S)
                    rows.append(row(question, reply))
                    progress.advance(bar)
    return rows


def request(question: str, ensemble: str) -> ensemble_pb2.AskRequest:
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text=question)])
    return ensemble_pb2.AskRequest(prompt=types_pb2.Prompt(messages=[turn]), ensemble=ensemble)


def row(question: str, reply: ensemble_pb2.AskResponse) -> dict[str, Any]:
    manifest = reply.manifest
    text = reply.answer.text
    return {
        "ensemble": manifest.ensemble,
        "question": question,
        "outcome": manifest_pb2.Outcome.Name(reply.outcome).removeprefix("OUTCOME_"),
        "right": bool(re.search(QUESTIONS[question], text, re.IGNORECASE)),
        "by": reply.answer.juror,
        "answer": " ".join(text.split()),
        "verdicts": [verdict(each) for each in manifest.verdicts],
        "escalations": [each.reason_text for each in manifest.escalations],
        "calls": manifest.model_calls,
        "s": round(duration_from_wire(manifest.duration), 1),
    }


def verdict(given: manifest_pb2.Verdict) -> str:
    kind = manifest_pb2.VerdictKind.Name(given.kind).removeprefix("VERDICT_KIND_")
    score = f" {given.score:.1f}" if given.HasField("score") else ""
    return f"{kind}{score} by {given.judge or 'checks'}"


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    lines = ["| ensemble | question | outcome | right | by | verdicts | escalations | s | answer |"]
    lines.append("|---" * 9 + "|")
    lines += [
        f"| {r['ensemble']} | {r['question']} | {r['outcome']} | {'yes' if r['right'] else 'no'} | {r['by']} "
        f"| {', '.join(r['verdicts'])} | {'; '.join(r['escalations'])} | {r['s']} | {r['answer'][:90]} |"
        for r in rows
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    asyncio.run(main())
