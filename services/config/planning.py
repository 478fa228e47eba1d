"""Steps, and who can do those of a plan that is made for the question, as the configuration words it."""

from typing import Final, Self

from pydantic import Field, model_validator

from services.config.section import Grace, Name, Seconds, Section
from services.config.steps import Merge, Retrieval, Step
from services.core.edges import sources
from services.core.graph import unread

DIRECT: Final = "direct"
"""The one step of a question that is answered whole."""
FALLBACK: Final = "fallback"


class Direct(Section):
    """Who answers a question whole, where cutting it does not pay."""

    model: Name | None = None
    """Model of the roster that answers."""
    ensemble: Name | None = None
    """Ensemble that answers, by its own pattern and judge."""

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if (self.model is None) == (self.ensemble is None):
            raise ValueError("needs exactly one of `model` and `ensemble`")
        return self


class Specialist(Section):
    """Who can do a step of a plan that is made for the question."""

    description: str = Field(default="", max_length=4096)
    """What it is good at, for the planner model."""
    model: Name | None = None
    """Model of the roster that does its steps."""
    ensemble: Name | None = None
    """Ensemble that does its steps, by its own pattern and judge."""
    retrieval: Retrieval | None = None
    """Search for passages; only a planner model gives it steps."""
    timeout_s: Seconds | None = None
    """Longest time that a step of it may take; unset: its share of the request's time."""

    @model_validator(mode="after")
    def _is_done_by_one(self) -> Self:
        if sum(who is not None for who in (self.model, self.ensemble, self.retrieval)) != 1:
            raise ValueError("needs exactly one of `model`, `ensemble` and `retrieval`")
        return self


class Planner(Section):
    """A model that cuts what the rules do not. It is asked only where cutting may pay."""

    model: Name
    """Model of the roster that writes the plan."""
    timeout_s: Seconds = 15.0
    """Longest time to wait for it, its one repair included."""


class Quorum(Section):
    """Steps of which not all are needed."""

    steps: tuple[Name, ...] = Field(min_length=2, max_length=12)
    """Required steps; none in two quorums."""
    needed: int = Field(ge=1)
    """How many of them must give something; those who read them are told of the others."""
    grace_s: Grace = 0.5
    """Seconds that the others get once so many have; then they are stopped."""

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if len(set(self.steps)) < len(self.steps):
            raise ValueError("a step may be in it only once")
        if self.needed >= len(self.steps):
            raise ValueError(f"of {len(self.steps)} steps fewer must be needed, not {self.needed}")
        return self


class Planned(Section):
    """A graph of steps, or what it takes to make one."""

    steps: dict[Name, Step] = Field(default_factory=dict)
    """Steps by id: at most 12, at most 4 in a row, at most 5 that read the same one. Run whatever
    is asked, unless `gate` is set; unset: `specialists` are needed."""
    merge: Merge | None = None
    """How outputs become the answer; unset: the output of the one last step is the answer."""
    quorums: tuple[Quorum, ...] = ()
    """Groups of steps of which not all are needed."""
    gate: bool = False
    """Whether to run the steps only where that is predicted to pay, and to ask `direct` elsewhere.
    A plan that is made for the question always has to pay."""
    direct: Direct | None = None
    """Who answers where cutting does not pay."""
    specialists: dict[Name, Specialist] = Field(default_factory=dict, max_length=32)
    """Who can do the steps of a plan that is made for each question, instead of `steps`. Its
    outputs are joined by `merge.model`, or as they are when all have a shape."""
    planner: Planner | None = None
    """Model that plans what the rules cannot cut; unset: only the rules do."""

    @model_validator(mode="after")
    def _is_planned_or_made(self) -> Self:
        if bool(self.steps) == bool(self.specialists):
            raise ValueError("needs exactly one of `steps` and `specialists`")
        if self.specialists and (self.direct is None or not (self.merge and self.merge.model)):
            raise ValueError("`specialists` need `direct` and `merge.model`")
        if self.specialists and all(each.retrieval for each in self.specialists.values()):
            raise ValueError("`specialists` need one who writes, beside those who search")
        if self.steps and self.planner:
            raise ValueError("`planner` is for `specialists`; the `steps` are the plan")
        if self.steps and self.gate != (self.direct is not None):
            raise ValueError("of `steps`, `gate: true` and `direct` need each other")
        if self.specialists and (self.gate or self.quorums):
            raise ValueError(
                "`gate` and `quorums` are for `steps`; what is planned is always gated"
            )
        return self

    @model_validator(mode="after")
    def _quorums_are_of_steps(self) -> Self:
        grouped = [name for quorum in self.quorums for name in quorum.steps]
        if strange := sorted({name for name in grouped if name not in self.steps}):
            raise ValueError(f"`quorums` name no steps: {strange}; there are {sorted(self.steps)}")
        if len(set(grouped)) < len(grouped):
            raise ValueError("a step may be in one of the `quorums` only")
        if free := sorted(name for name in grouped if not self.steps[name].required):
            raise ValueError(f"steps of `quorums` must be required; {free} are not")
        return self

    @property
    def doers(self) -> dict[str, Step | Specialist]:
        """Who does the steps: of a plan that is made, by specialist."""
        return {**self.steps, **self.specialists}

    @property
    def nested(self) -> list[str]:
        """Ensembles that its steps may ask."""
        named = [
            *(each.ensemble for each in self.doers.values()),
            self.direct.ensemble if self.direct else None,
        ]
        return [name for name in named if name]

    @property
    def searches(self) -> list[Retrieval]:
        """Searches that its steps may make."""
        return [each.retrieval for each in self.doers.values() if each.retrieval]

    @property
    def reads(self) -> dict[str, tuple[str, ...]]:
        """Steps by id, each with those whose outputs it reads."""
        return {name: step.depends_on for name, step in self.steps.items()}

    @property
    def final(self) -> list[str]:
        """Steps whose outputs make the answer."""
        last = unread(self.reads)
        if self.merge is None:
            return last[-1:]
        named = sources(self.merge.template or self.merge.goal, self.steps)
        return named if self.merge.template else list(dict.fromkeys([*named, *last]))
