"""How long a decision takes in process: nine models, thousands of known prompts, all that is told."""

import asyncio
import json
import pathlib
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from bench.decisions import Row
from bench.routing.llmrouter import scores
from bench.routing.recordings import prompts, recorded
from bench.routing.vectors import Vectors, vectors
from gremium.v1 import router_pb2, types_pb2
from router_svc.catalog import ensemble_profiles
from router_svc.learned import Learned
from router_svc.reading import Reader, excerpt
from router_svc.service import RouterServicer
from services.config.load import load
from services.core.deadline import Deadline
from services.models.minilm import DIMENSIONS, MODEL, MiniLM
from services.routing.artefact import Embedding
from services.routing.fit import fit
from services.routing.rows import Rows, rows_of
from services.runtime.local import call_local

METHOD: Final = "/gremium.v1.RouterService/Route"
DECISIONS: Final = 400
EMBEDDED: Final = 40
LIMIT_MS: Final = 5.0
EMBEDDING: Final = Embedding("minilm", MODEL[2], DIMENSIONS)


class Kept:
    """Gives the vectors that MiniLM gave before, so that their time is not in the decision's."""

    def __init__(self, texts: Sequence[str], found: Vectors) -> None:
        self._found = dict(zip(map(excerpt, texts), found, strict=True))

    async def embed(self, texts: Sequence[str], *, deadline: Deadline) -> Vectors:
        del deadline
        return np.stack([self._found[text] for text in texts])


def rows(data: pathlib.Path, seeds: Sequence[int]) -> Iterator[Row]:
    """Decisions and embeddings, each by itself; the seeds do not matter."""
    del seeds
    asked = prompts(data, "llmrouter")
    kept = vectors(asked)
    trained = _rows(data, asked, kept)
    routing = fit(trained, EMBEDDING, created="2026-01-01T00:00:00+00:00")
    note = f"{len(routing.models)} tiers, {len(routing.known.ids)} known prompts"
    with tempfile.TemporaryDirectory() as folder:
        config = _config(pathlib.Path(folder), trained.models)
        reader = Reader(
            Kept(asked, kept), learned=Learned(routing, models=trained.models), timeout_s=5.0
        )
        router = RouterServicer(ensemble_profiles(load(config).config), reader)
        taken = asyncio.run(_decided(router, asked[:DECISIONS]))
    (p50, cpu), (p95, _) = np.quantile(taken, [0.5, 0.95], axis=0)
    yield Row("decision in process, p50 ms", float(p50), None, LIMIT_MS, p50 <= LIMIT_MS,
              f"{note}; p95 {p95:.2f} ms, CPU {cpu:.2f} ms; without the embedding")  # fmt: skip
    yield _embedding(asked[:EMBEDDED])


def _embedding(asked: Sequence[str]) -> Row:
    model = MiniLM()
    model.embed(asked[:1])
    taken = [_timed_ms(model, text) for text in asked]
    p50 = float(np.median(taken))
    return Row("embedding of one prompt, p50 ms", p50, None, 1_000.0, p50 <= 1_000.0,
               f"stated apart; {len(asked)} prompts, one thread")  # fmt: skip


def _timed_ms(model: MiniLM, text: str) -> float:
    start = time.perf_counter()
    model.embed([excerpt(text)])
    return 1e3 * (time.perf_counter() - start)


async def _decided(router: RouterServicer, asked: Sequence[str]) -> list[tuple[float, float]]:
    """Milliseconds of each decision by the clock and of CPU, reading and packing included."""
    taken = []
    for text in (asked[0], *asked):
        request = _request(text)
        start, used = time.perf_counter(), time.process_time()
        await call_local(router.Route, request, deadline=Deadline.after(10.0), method=METHOD)
        taken.append((1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - used)))
    return taken[1:]


def _request(text: str) -> router_pb2.RouteRequest:
    turn = types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text=text)])
    return router_pb2.RouteRequest(ensemble="main", prompt=types_pb2.Prompt(messages=[turn]))


def _rows(data: pathlib.Path, asked: Sequence[str], kept: Vectors) -> Rows:
    lines = recorded(data, "llmrouter")
    names, labels = scores(lines)
    ids = [str(nth) for nth in range(len(lines))]
    return rows_of(names, ids, asked, labels, vectors=kept)


def _config(folder: pathlib.Path, names: Sequence[str]) -> pathlib.Path:
    """A configuration with a tier for each model."""
    model = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 30}
    tiers = [{"name": f"t{nth}", "jurors": [{"model": name}]} for nth, name in enumerate(names)]
    path = folder / "gremium.yaml"
    path.write_text(
        json.dumps(
            {
                "models": dict.fromkeys(names, model),
                "ensembles": {"main": {"pattern": "route", "tiers": tiers}},
            }
        )
    )
    return path
