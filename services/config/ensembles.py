"""The ensembles of a configuration: who answers, who judges, and how answers are combined."""

from functools import cached_property
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.config.judge import Judge
from services.config.planning import DIRECT, FALLBACK, Planned
from services.config.routing import Allowed, Policy
from services.config.section import Fraction, Grace, Name, Seconds, Section
from services.config.shadow import Shadow
from services.config.steps import MERGE
from services.config.stop import Stop
from services.config.synthesis import BY_MEANING, Synthesis

Waves = Annotated[tuple[Annotated[int, Field(ge=1, le=64)], ...], Field(max_length=64)]


class Juror(Section):
    """A model, and how to ask it."""

    model: Name
    """Name of a model in the roster."""
    name: Name | None = None
    """Unique within its tier; unset: the model's name."""
    instruction: str = Field(default="", max_length=65536)
    """System instruction put before the conversation."""
    timeout_s: Seconds | None = None
    """Longest time to wait for it; unset: the model's."""
    weight: float = Field(default=1.0, ge=0.0, le=1e6)
    """How much its vote counts."""

    @property
    def label(self) -> str:
        return self.name or self.model


class Jury(Section):
    """Jurors that answer together."""

    jurors: tuple[Juror, ...] = Field(min_length=1, max_length=64)
    """Whom to ask."""
    quorum: int | None = Field(default=None, ge=1)
    """Usable answers needed; unset: more than half of the jurors."""
    grace_s: Grace = 0.5
    """Seconds that stragglers get once the quorum is met. One who could still change which of
    several structured answers wins is waited for."""
    stop: Stop = Stop()
    """When it stops before everybody is in, by what the ballots say."""
    waves: Waves = ()
    """Sizes of waves in which the jurors are asked, the cheapest first; whoever is left over is the
    last wave. The next goes out when those before it cannot decide any more, have all answered or
    failed, or have had an equal part of the time: saves money, and takes longer. Unset: all at
    once."""

    @property
    def needed(self) -> int:
        """Usable answers needed, in [1, size of `jurors`]."""
        return self.quorum if self.quorum is not None else len(self.jurors) // 2 + 1

    @model_validator(mode="after")
    def _jurors_are_unique_and_enough(self) -> Self:
        names = [juror.label for juror in self.jurors]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"jurors must have different names; {twice} occur twice")
        if self.needed > len(names):
            raise ValueError(f"quorum {self.needed} is more than the {len(names)} jurors")
        if sum(self.waves) > len(names):
            raise ValueError(f"waves {list(self.waves)} are of more than the {len(names)} jurors")
        return self


class Tier(Jury):
    """Jurors that answer together, as one of several."""

    name: Name
    """Unique within the ensemble."""
    domains: tuple[str, ...] = ()
    """Domains of the router that this tier is the specialist for."""


class Aggregate(Section):
    """How answers are combined."""

    method: Literal[
        "auto", "plurality", "semantic_mean", "medoid", "weighted", "log_odds", "fieldwise"
    ] = "auto"
    """`auto`: plurality for structured answers and tool calls, the semantic mean for prose; where
    every model's `adequacy` is set and one is more than 0.15 above the mean, its ballot stands.
    `semantic_mean` (`medoid` is an older word for it): the answer nearest to what the others mean,
    weighed by its model's `adequacy`, and how far it is from their mean. `weighted`: the same
    classes, but each vote counts its juror's weight times what the judge thinks of the answer
    beside the others. `log_odds`: each vote counts by its model's `adequacy` instead of its
    juror's weight, and where the best model is far better than the others its ballot stands.
    `fieldwise`: where no class has the share it needs, the whole answer that says at most fields
    what most say."""
    allow_splicing: bool = False
    """Whether `fieldwise` may put an answer together from the fields of several, where none says at
    every field what most say. It must be what the format or the tools ask for; the manifest names
    each field's juror. Unset: fields of different answers are never mixed."""
    min_share: Fraction = 0.5
    """Share of the weight that the leading class of structured answers needs; below it, or in a
    tie, there is no consensus."""
    min_confidence: Fraction | None = None
    """P(correct) that the leading class needs; below it there is no consensus. Where no calibration
    tells it, a guess is held against it: three of three that agree are right with 0.8, as far as
    anyone can tell. Unset: `min_share` alone decides."""
    min_similarity: float | None = Field(default=None, ge=-1.0, le=1.0)
    """Mean similarity to the others that the chosen prose needs; below it there is no
    consensus. Unset: what unrelated answers do not reach, 0.35 with embeddings and 0.3 by words."""

    may_abstain: bool = False
    """Whether an answer may say that it does not know, or decline, whatever shape is asked for. It
    is then a vote of a class of its own, and jurors are told that they may. Unset: as the caller
    says; where neither allows it, such an answer is unusable, and prose like any other."""
    abstain_weight: float = Field(default=1.0, ge=0.0, le=1000.0)
    """What a vote to abstain, or to call no tool, counts for want of a calibration that has learned
    it, as a multiple of its juror's weight. 0: it never decides."""

    @model_validator(mode="after")
    def _fields_are_spliced_field_by_field(self) -> Self:
        if self.allow_splicing and self.method != "fieldwise":
            raise ValueError(f"`allow_splicing` needs `method: fieldwise`; it is `{self.method}`")
        return self


class Shared(Section):
    """What every ensemble has."""

    description: str = ""
    """What it is for."""
    default_timeout_s: Seconds | None = None
    """Time of a request whose caller sets no deadline; unset: such a request is refused."""
    max_concurrent: int | None = Field(default=None, ge=1, le=65536)
    """Requests that each gateway works on at once; more are refused with `OVERLOADED`, only that
    callers who hold less than an equal part may get up to a quarter more. Unset: twice as many as
    the `max_concurrent` of its models allows at once."""
    judge: Judge | None = None
    """Who audits the answer; unset: nobody, and answers are marked unjudged."""
    aggregate: Aggregate = Aggregate()
    """How answers are combined."""
    synthesis: Synthesis | None = None
    """Who writes one answer out of several; unset: nobody, the answer is one of theirs."""
    allow: Allowed = Allowed()
    """Which models may be asked. Jurors that may not are left out; a judge, a synthesiser, a
    planner and a model that does a step must be allowed."""
    deliver_rejected: bool = False
    """Whether the text of an answer that the judge failed is still given; never after a failed
    safety check."""

    @property
    def beside_jurors(self) -> tuple[str, ...]:
        """Models that it may ask beside its jurors: judges, then synthesisers."""
        judges = self.judge.models if self.judge else ()
        return (*judges, *(self.synthesis.models if self.synthesis else ()))

    @model_validator(mode="after")
    def _scores_need_a_judge(self) -> Self:
        if self.aggregate.method == "weighted" and not (self.judge and self.judge.models):
            raise ValueError("`aggregate.method: weighted` needs judge models to score answers")
        return self

    @model_validator(mode="after")
    def _only_prose_is_synthesised(self) -> Self:
        if self.synthesis and self.aggregate.method not in BY_MEANING:
            raise ValueError(
                f"`synthesis` is for prose that is compared by meaning; `aggregate.method:"
                f" {self.aggregate.method}` counts ballots"
            )
        return self


class Tiered(Shared):
    """What ensembles with several tiers have."""

    tiers: tuple[Tier, ...] = Field(min_length=1, max_length=16)
    """Tiers, cheapest first."""
    min_adequacy: float = 0.0
    """Predicted adequacy that a tier must reach."""
    default_tier: Name | None = None
    """Tier to begin with when the router is down; unset: the first."""
    shadow: Shadow | None = None
    """How often a cheaper tier is asked what a dearer one has answered, to learn whether it would
    have done; unset: never."""

    @property
    def beside_jurors(self) -> tuple[str, ...]:
        """Models that it may ask beside its jurors: judges, synthesisers, then those of a shadow."""
        return (*super().beside_jurors, *(self.shadow.judges if self.shadow else ()))

    @model_validator(mode="after")
    def _tiers_are_unique(self) -> Self:
        names = [tier.name for tier in self.tiers]
        if len(set(names)) < len(names):
            raise ValueError(f"tiers must have different names, not {names}")
        if self.default_tier is not None and self.default_tier not in names:
            raise ValueError(f"default_tier {self.default_tier!r} is none of {names}")
        return self


class RouteEnsemble(Tiered):
    """Sends each prompt to the cheapest adequate tier; a failed verdict goes to the next."""

    pattern: Literal["route"]
    """Always `route`."""
    min_adequacy: float = Field(default=0.7, gt=0.0, le=1.0)
    """Predicted adequacy that the first tier must reach."""
    policy: Policy = Policy()
    """How the first tier is chosen."""

    @model_validator(mode="after")
    def _policy_names_tiers(self) -> Self:
        self.policy.check({tier.name: len(tier.jurors) for tier in self.tiers})
        return self

    @model_validator(mode="after")
    def _what_is_tried_is_judged(self) -> Self:
        if self.policy.explore is not None and self.judge is None:
            raise ValueError("`explore` learns from the judge's verdicts; add `judge`")
        return self


class Escalate(Section):
    """When the next tier is worth its price."""

    value_usd: float = Field(gt=0.0, le=1e6)
    """US dollars that a right answer is worth more than a wrong one."""
    depth: int = Field(default=3, ge=1, le=15)
    """Most tiers to ask after the first."""


class CascadeEnsemble(Tiered):
    """Asks tier after tier in their order until an answer is good enough.

    It is when the judge does not fail it and either its confidence reaches
    `accept_at` or a tier before gave the same answer, which is then kept.
    Confidence is the least of what is known: how far the jurors agree, where
    several answered (the leading share, or for prose the mean similarity if
    that is more), and the judge's score. A lone juror without a judge has none,
    so that only an earlier tier's agreement accepts its answer. When all tiers
    are asked or lost, the surest answer is given whatever its confidence.
    """

    pattern: Literal["cascade"]
    """Always `cascade`."""
    accept_at: float = Field(default=0.7, gt=0.0, le=1.0)
    """Confidence from which on an answer is accepted at once."""
    escalate: Escalate | None = None
    """Where P(correct) of the answer in hand is calibrated, or there is none, ask on as long as the
    improvement that is expected is worth more than it costs, instead of by `accept_at`. A tier that
    is worth less than one behind it is left out. Unset: `accept_at` decides."""
    min_adequacy: Fraction = 0.0
    """Predicted adequacy below which the router leaves a tier out, unless no tier reaches it."""

    @model_validator(mode="after")
    def _nobody_is_asked_the_same_twice(self) -> Self:
        asked: dict[tuple[str, str], str] = {}
        for tier in self.tiers:
            for juror in tier.jurors:
                earlier = asked.setdefault((juror.model, juror.instruction), tier.name)
                if earlier != tier.name:
                    raise ValueError(
                        f"tier {tier.name!r} asks {juror.model!r} what {earlier!r} asked it before; "
                        "name another model, or give it another instruction"
                    )
        return self


class JuryEnsemble(Shared, Jury):
    """Asks all jurors at once and decides between their answers."""

    pattern: Literal["jury"]
    """Always `jury`."""

    @cached_property
    def tiers(self) -> tuple[Tier, ...]:
        """The jury as a single tier."""
        return (Tier(name="jury", **{field: getattr(self, field) for field in Jury.model_fields}),)


class SpecialistsEnsemble(Shared, Planned):
    """Cuts a task into steps, each done by its own model, ensemble or search."""

    pattern: Literal["specialists"]
    """Always `specialists`."""

    @model_validator(mode="after")
    def _steps_are_merged(self) -> Self:
        if self.synthesis is not None:
            raise ValueError("`synthesis` is for jurors; outputs of steps are joined by `merge`")
        return self

    @property
    def beside_jurors(self) -> tuple[str, ...]:
        """Models that it may ask beside those of its steps: the judges and the planner."""
        return (*super().beside_jurors, *([self.planner.model] if self.planner else []))

    @cached_property
    def tiers(self) -> tuple[Tier, ...]:
        """A tier of one juror for each step or specialist that is a model, and for the merge."""
        asked = {name: (each.model, each.timeout_s) for name, each in self.doers.items()}
        asked |= {f"{name}.{FALLBACK}": (s.fallback, s.timeout_s) for name, s in self.steps.items()}
        asked[DIRECT] = (self.direct.model if self.direct else None, None)
        asked[MERGE] = (self.merge.model if self.merge else None, None)
        return tuple(
            Tier(
                name=name, jurors=(Juror(model=model, name=name, timeout_s=timeout_s),), grace_s=0.0
            )
            for name, (model, timeout_s) in asked.items()
            if model is not None
        )


Ensemble = Annotated[
    RouteEnsemble | CascadeEnsemble | JuryEnsemble | SpecialistsEnsemble,
    Field(discriminator="pattern"),
]
