"""Stages that stay, recorded models, and gateways to be killed under load."""

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.fault.callers import Callers
from tests.fault.replicas import Cluster, cluster
from tests.fault.standby import Gateways, gateways

ANSWER_S = 30.0
"""Longest time until a gateway that was started answers somebody."""
LONGEST_S = 0.3
"""A kill falls within so much time after the first reply, or after the start."""
EARLY = 0.25
"""Share of the kills that fall into the start, when what the last one left open is closed."""
STAGES = ("router", "jury", "judge", "aggregator")
MODELS = ("a", "b", "c")


@dataclass(frozen=True)
class Killable:
    """A gateway that is the test's to start and to kill, and its ledger."""

    address: str
    gateways: Gateways
    ledger: Path

    def kill_often(
        self, callers: Callers, *, times: int, rng: random.Random, then: Callable[[], object]
    ) -> None:
        """Start the gateway and kill it, so often; in the end it runs and has answered somebody.

        `then` is called after each kill, while none runs.
        """
        for nth in range(times):
            self.gateways.start()
            if nth == 0 or rng.random() >= EARLY:
                callers.until_more(within_s=ANSWER_S)
            time.sleep(rng.uniform(0.0, LONGEST_S))
            self.gateways.kill()
            then()
        self.gateways.start()
        callers.until_more(within_s=ANSWER_S)


@contextmanager
def staying(folder: Path) -> Iterator[Cluster]:
    """The four stages over models whose answers are on a cassette; no gateway."""
    with cluster(folder, json.dumps(_config(folder / "cassette.jsonl"))) as stages:
        for name in STAGES:
            stages.one(name).start()
        for name in STAGES:
            stages.until_serving(name)
        yield stages


@contextmanager
def killable(
    stages: Cluster,
    folder: Path,
    *,
    within: Sequence[str] = (),
    path: Path | None = None,
    **ledger: object,
) -> Iterator[Killable]:
    """Gateways whose ledger is configured so, at `path` or in `folder`."""
    told, path = stages.one("gateway"), path or folder / "ledger.sqlite"
    config = json.loads(Path(told.env["GREMIUM_GATEWAY_CONFIG"]).read_text())
    own = folder / "gremium.yaml"
    own.write_text(json.dumps({**config, "ledger": {"path": str(path), **ledger}}))
    env = {**told.env, "GREMIUM_GATEWAY_CONFIG": str(own)}
    with gateways(env, folder / "gateway.log", within=within) as found:
        yield Killable(told.address, found, path)


def _config(cassette: Path) -> Mapping[str, object]:
    lines = [
        {"model": name, "prompt": "What is 2 + 2?", "text": "4", "cost_usd": 0.001}
        for name in MODELS
    ]
    cassette.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    models = {
        name: {
            "backend": "recorded",
            "model": name,
            "family": name,
            "cassette": str(cassette),
            "timeout_s": 5,
        }
        for name in MODELS
    }
    jury = {"pattern": "jury", "quorum": 3, "jurors": [{"model": name} for name in MODELS]}
    return {
        "version": 1,
        "models": models,
        "ensembles": {"default": jury},
        "embeddings": {"backend": "none"},
    }
