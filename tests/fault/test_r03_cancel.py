"""R3: a caller who leaves stops every model call, and every span is exported all the same."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from gremium.v1 import ensemble_pb2
from tests.collector import label, sampled
from tests.fault.five import jury, model, request, turns

LEAVES_S = 0.25
TIMEOUT_S = 20.0
JURORS = 5


def shared_juries(places):
    """Juries that never answer; a cascade and a plan that do so in their second part."""
    parts = [
        jury({f"{kind}{n}": model(kind, places.url) for n in range(JURORS)}, kind)
        for kind in ("hang", "silent")
    ]
    return [*parts, later(places.url)]


def later(url):
    """Models and ensembles whose first tier, or step, answers, and whose second hangs."""
    hung = [f"hung{n}" for n in range(JURORS)]
    models = {"begun": model("four", url)} | {name: model("hang", url) for name in hung}
    tiers = [
        {"name": "first", "jurors": [{"model": "begun"}]},
        {"name": "second", "jurors": [{"model": name} for name in hung]},
    ]
    cascade = {"pattern": "cascade", "tiers": tiers}
    plan = {"pattern": "specialists", "steps": steps(hung)}
    ensembles = {f"cascade-{turn}": cascade for turn in turns()}
    return models, ensembles | {f"plan-{turn}": plan for turn in turns()}


def steps(hung):
    """One that answers, those that hang, and one that waits for them all."""
    found = {"begun": {"model": "begun", "goal": "Begin with {prompt}"}}
    for name in hung:
        found[name] = {"model": name, "goal": "Go on with {begun}", "depends_on": ["begun"]}
    goal = " ".join(f"{{{name}}}" for name in hung)
    return found | {"end": {"model": "begun", "goal": f"End with {goal}", "depends_on": hung}}


def unary(gateway, ensemble, metadata):
    return gateway.Ask.future(request(ensemble), timeout=TIMEOUT_S, metadata=metadata)


def stream(gateway, ensemble, metadata):
    asked = ensemble_pb2.AskStreamRequest(ask=request(ensemble))
    return gateway.AskStream(asked, timeout=TIMEOUT_S, metadata=metadata)


@dataclass(frozen=True)
class Way:
    """How the question is asked, and what is underway when its caller leaves."""

    call: Callable[..., Any]
    rpc: str
    ensemble: str
    kind: str
    """What each of the jurors does that are underway."""
    stages: tuple[str, ...]
    """The calls of services, each of which leaves two spans."""
    answered: int = 0
    """Calls of models that were answered before."""

    def labels(self):
        """Kind and name of every span of the request, jurors without theirs."""
        hops = [
            f"{side} gremium.v1.{each}" for each in self.stages for side in ("client", "server")
        ]
        models = [f"client chat {self.kind}"] * JURORS + ["client chat four"] * self.answered
        parts = ["internal juror"] * len(models)
        parts += ["internal tally" for each in self.stages if each == COUNT]
        parts += ["internal verdict" for each in self.stages if each == CHECK]
        return sorted([f"server gremium.v1.EnsembleService/{self.rpc}", *hops, *models, *parts])


ROUTE, PLAN, SIT = "RouterService/Route", "RouterService/Plan", "JuryService/Deliberate"
FOLLOWED, COUNT = "JuryService/DeliberateStream", "AggregatorService/Aggregate"
CHECK = "JudgeService/Verify"
WAYS = {
    "unary": Way(unary, "Ask", "hang", "hang", (ROUTE, SIT)),
    "stream-before-headers": Way(stream, "AskStream", "hang", "hang", (ROUTE, FOLLOWED)),
    "stream-before-the-first-token": Way(
        stream, "AskStream", "silent", "silent", (ROUTE, FOLLOWED)
    ),
    "second-tier": Way(unary, "Ask", "cascade", "hang", (ROUTE, SIT, COUNT, SIT), answered=1),
    "second-tier-streamed": Way(
        stream, "AskStream", "cascade", "hang", (ROUTE, FOLLOWED, COUNT, FOLLOWED), answered=1
    ),
    "second-steps": Way(
        unary, "Ask", "plan", "hang", (PLAN, COUNT, CHECK, *[SIT] * (1 + JURORS)), answered=1
    ),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_socket_is_closed_and_every_span_exported(row, gateway, provider, collector, way):
    provider.reset()
    trace_id, metadata = sampled()
    began = time.monotonic()
    asked = way.call(gateway, f"{way.ensemble}-{row.turn}", metadata)
    provider.until(lambda seen: seen.running.get(way.kind) == JURORS)
    time.sleep(max(0.0, began + LEAVES_S - time.monotonic()))
    left = time.monotonic()
    asked.cancel()
    seen = provider.until(lambda seen: not seen.underway)

    last = max(event.at for event in seen.events if event.what == "left")
    assert JURORS == seen.calls - way.answered == seen.left[way.kind]
    row.at_most("R3", "last upstream socket closed after", last - left, 0.2, unit="s")
    expected = way.labels()
    spans = collector.trace(trace_id, lambda got: len(got) >= len(expected))
    assert expected == sorted(re.sub("^(internal juror) .*", r"\1", label(s)) for s in spans)
