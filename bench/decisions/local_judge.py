"""A small model of this machine as a judge, asked through the judge's own service."""

import json
import os
import pathlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import grpc

from bench.decisions import SkippedError
from gremium.v1 import judge_pb2, judge_pb2_grpc, manifest_pb2, types_pb2
from services.runtime.wire import duration_to_wire
from tests.running import mesh_running

CONFIG = """
version: 1
models:
  local: {{backend: local, model: {gguf}, family: qwen, timeout_s: 60, temperature: 0, max_output_tokens: 200}}
ensembles:
  default: {{pattern: jury, jurors: [{{model: local}}], judge: {{}}}}
"""
CALL_S = 60.0
CRITERIA = {
    "safety": judge_pb2.CRITERION_SAFETY,
    "hallucination": judge_pb2.CRITERION_HALLUCINATION,
}


class Verify(Protocol):
    """Audits one answer; None once time is up."""

    def __call__(
        self, question: str, answer: str, *, passages: Sequence[str] = ()
    ) -> manifest_pb2.Verdict | None: ...


@contextmanager
def local_judge(criterion: str, *, limit_s: float) -> Iterator[Verify]:
    """Start a mesh with the model that GREMIUM_TEST_GGUF names, and ask its judge.

    After `limit_s` seconds of calls nothing more is asked.

    Raises
    ------
    SkippedError
        If no model is named.
    """
    gguf = os.environ.get("GREMIUM_TEST_GGUF")
    if not gguf:
        raise SkippedError("GREMIUM_TEST_GGUF names no model to judge with")
    config = CONFIG.format(gguf=json.dumps(gguf))
    with (
        tempfile.TemporaryDirectory() as folder,
        mesh_running(pathlib.Path(folder), config) as mesh,
        grpc.insecure_channel(str(mesh.services["judge"]["address"])) as channel,
    ):
        stub: Any = judge_pb2_grpc.JudgeServiceStub(channel)  # type: ignore[arg-type]  # typed for aio
        until = time.monotonic() + limit_s

        def verify(
            question: str, answer: str, *, passages: Sequence[str] = ()
        ) -> manifest_pb2.Verdict | None:
            if time.monotonic() > until:
                return None
            asked = _request(question, answer, passages, criterion)
            verdict: manifest_pb2.Verdict = stub.Verify(asked, timeout=CALL_S).verdict
            return verdict

        yield verify


def _request(
    question: str, answer: str, passages: Sequence[str], criterion: str
) -> judge_pb2.VerifyRequest:
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text=question)])
    given = [types_pb2.Passage(id=f"p{i}", text=text) for i, text in enumerate(passages)]
    return judge_pb2.VerifyRequest(
        prompt=types_pb2.Prompt(messages=[turn], grounding=types_pb2.Grounding(passages=given)),
        answer=types_pb2.Answer(juror="author", family="other", text=answer),
        judge=judge_pb2.JudgeSpec(
            models=["local"], timeout=duration_to_wire(CALL_S), criteria=[CRITERIA[criterion]]
        ),
    )
