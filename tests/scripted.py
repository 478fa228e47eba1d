"""A scripted provider on a thread of its own, and a mesh of five processes that asks it."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from tests.upstream import Reply, Script, Upstream, upstream

START_LIMIT_S = 20

CONFIG = """\
version: 1
models:
  a: {{backend: openai, model: four, family: alpha, provider: x, base_url: "{url}", timeout_s: 5}}
  b: {{backend: openai, model: four, family: beta, provider: y, base_url: "{url}", timeout_s: 5}}
  c: {{backend: openai, model: four, family: gamma, provider: z, base_url: "{url}", timeout_s: 5}}
  hung: {{backend: openai, model: hang, family: delta, base_url: "{url}", timeout_s: 1}}
  liar: {{backend: openai, model: empty, family: epsilon, base_url: "{url}", timeout_s: 5}}
  dead: {{backend: openai, model: x, family: zeta, base_url: "http://127.0.0.1:1/v1", timeout_s: 5}}
  judge: {{backend: openai, model: verdict-pass, family: eta, base_url: "{url}", timeout_s: 5}}
ensembles:
  default:
    pattern: jury
    default_timeout_s: 20
    quorum: 3
    jurors: [{{model: a}}, {{model: b}}, {{model: c}}]
    judge: {{models: [judge], timeout_s: 5}}
  with-hung: {{pattern: jury, quorum: 2, jurors: [{{model: a}}, {{model: b}}, {{model: hung}}]}}
  with-dead: {{pattern: jury, quorum: 2, jurors: [{{model: a}}, {{model: b}}, {{model: dead}}]}}
  with-liar: {{pattern: jury, quorum: 2, jurors: [{{model: a}}, {{model: b}}, {{model: liar}}]}}
  all-hung: {{pattern: jury, quorum: 1, jurors: [{{model: hung}}]}}
default_ensemble: default
embeddings: {{backend: none}}
"""

FINDING = {"evidence": "", "pass": True, "score": 0.9}
SCRIPT: Script = {
    "verdict-pass": Reply(
        text=json.dumps({"hallucination": FINDING, "safety": FINDING, "logic": FINDING})
    ),
}


@contextmanager
def upstream_thread(script: Mapping[str, Reply] | None = None) -> Iterator[Upstream]:
    """Serve until the block ends; models outside the script say `4`."""
    started: list[Upstream] = []
    ready, stop = threading.Event(), asyncio.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        async with upstream({**SCRIPT, **(script or {})}) as server:
            started.append(server)
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), daemon=True)
    thread.start()
    try:
        if not ready.wait(START_LIMIT_S):
            raise TimeoutError(f"the upstream did not start in {START_LIMIT_S} s")
        yield started[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(START_LIMIT_S)
        loop.close()
