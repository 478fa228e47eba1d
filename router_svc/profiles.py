"""What is known of jurors and tiers before a prompt comes, and what a request allows. Pure."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from router_svc.latency import Latency
from services.core.lease import Lease
from services.routing.bandit import Arm


class Filter(StrEnum):
    """Why a juror cannot take a prompt."""

    CONTEXT = "context"
    IMAGES = "images"
    TOOLS = "tools"
    SCHEMA = "schema"
    REGION = "region"
    LABEL = "label"
    BREAKER = "breaker"
    PRICE_CAP = "price_cap"
    COST = "cost"
    LATENCY = "latency"


@dataclass(frozen=True, slots=True)
class Objection:
    """Why one juror is left out."""

    juror: str
    filter: Filter
    text: str


@dataclass(frozen=True, slots=True)
class JurorProfile:
    """What is known of a juror before it is asked."""

    name: str
    adequacy: float
    """Prior probability of an adequate answer to an average prompt, in [0, 1]."""
    expected_latency_s: float | None
    """As configured; None: not known."""
    context_tokens: int
    max_output_tokens: int
    """Of one answer, unless the request says otherwise."""
    input_usd_per_mtok: float = 0.0
    output_usd_per_mtok: float = 0.0
    instruction_tokens: int = 0
    tools: bool = True
    images: bool = False
    schemas: bool = True
    """Whether it can be held to a JSON Schema."""
    model: str = ""
    """Roster name; empty: as the juror."""
    barred: Objection | None = None
    """Why the ensemble may never ask it; None: it may."""
    max_answer_usd: float | None = None
    """Most that its answer may be expected to cost; None: any price."""

    @property
    def roster_name(self) -> str:
        return self.model or self.name

    @property
    def free(self) -> bool:
        """Whether its answers cost nothing."""
        return not (self.input_usd_per_mtok or self.output_usd_per_mtok)


@dataclass(frozen=True, slots=True)
class TierProfile:
    """Jurors that answer together."""

    name: str
    jurors: tuple[JurorProfile, ...]
    quorum: int | None = None
    """Usable answers needed; None: more than half of those who are asked."""
    grace_s: float = 0.0
    domains: tuple[str, ...] = ()
    """Domains it is the specialist for; empty: it takes any prompt."""


@dataclass(frozen=True, slots=True)
class ModelNow:
    """How a model fares at present."""

    is_open: bool = False
    """Whether its breaker keeps calls away."""
    latency: Latency | None = None
    """As measured of late; None: too little is known."""


AS_CONFIGURED: Final = ModelNow()


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request allows, and what is known of the models at present."""

    time_s: float
    """Time until nobody waits for the answer."""
    lease: Lease = field(default_factory=Lease)
    models: Mapping[str, ModelNow] = field(default_factory=dict)
    """By roster name; who is missing works as configured."""
    min_on_time: float = 0.5
    """Probability to answer in time that a juror needs, in [0, 1]."""
    price_of_money: float | None = None
    """What a US dollar weighs against a certainly adequate answer; None: as configured."""
    experience: Mapping[str, Arm] = field(default_factory=dict)
    """What came of the tiers so far; of one that is missing nothing is known."""
    high_risk: bool = False
    """Whether nothing may be tried."""
    seed: int = 0
    """Where chance comes from: the same for the same request."""

    @property
    def timed(self) -> bool:
        """Whether anybody gives up waiting."""
        return not math.isinf(self.time_s)

    def now(self, juror: JurorProfile) -> ModelNow:
        return self.models.get(juror.roster_name, AS_CONFIGURED)
