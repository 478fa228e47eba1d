"""Who of an ensemble may be asked, and by which policy one of its tiers is chosen."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from services.config.section import Fraction, Name, Section

Label = Annotated[str, Field(min_length=1, max_length=128)]
Labels = Annotated[tuple[Label, ...], Field(max_length=64)]


class Allowed(Section):
    """Which models an ensemble may ask."""

    regions: Labels = ()
    """Regions of which one must be the model's `region`; empty: any, also none."""
    labels: Labels = ()
    """Labels that the model must have, such as `no-training`."""
    max_answer_usd: float | None = Field(default=None, ge=0.0, le=1e6)
    """Most that one juror's answer may be expected to cost, in US dollars; unset: any price."""

    def wrong_region(self, region: str) -> str:
        """Why a model served in `region` may not be asked; empty: it may."""
        if not self.regions or region in self.regions:
            return ""
        served = f"it is served in {region}" if region else "where it is served is not configured"
        return f"{served}; {', '.join(self.regions)} is allowed"

    def lacking(self, labels: Sequence[str]) -> str:
        """Why a model with these labels may not be asked; empty: it may."""
        missing = [label for label in self.labels if label not in labels]
        return f"it lacks the label {', '.join(missing)}" if missing else ""


class Exploring(Section):
    """How tiers are tried, so that what is predicted of them can be corrected."""

    rule: Literal["linucb", "thompson"] = "linucb"
    """`linucb`: the tier that is worth most if what is not known of it yet turned out well.
    `thompson`: each as often as it may be the one that is worth most."""
    forced: Fraction = 0.02
    """Share of requests for which any tier is drawn, whatever it is thought to be worth."""


class Policy(Section):
    """How one of several tiers is chosen for a prompt."""

    rule: Literal["quality_target", "utility", "budget", "strong_share", "fixed", "heuristics"] = (
        "quality_target"
    )
    """`quality_target`: the cheapest tier that reaches `min_adequacy` even at the lower end of its
    interval, else the most adequate. `utility`: the tier that is worth most beyond its price.
    `budget`: the same, at a price of money that follows a shared budget. `strong_share`: of two
    tiers the second for the given share of prompts, those for which it helps most. `fixed`: always
    the same tier. `heuristics`: `quality_target` by `adequacy` of the models and the looks of the
    prompt, whatever was learned. Without `router.artefact` that stands in for `quality_target` and
    `strong_share`, and the others weigh its guesses."""
    value_usd: float = Field(default=0.01, gt=0.0, le=1e6)
    """For `utility`, and for `budget` while it is spent as planned: US dollars that a certainly
    adequate answer is worth more than one that is certainly not."""
    second_usd: float = Field(default=0.0, ge=0.0, le=1e6)
    """For `utility` and `budget`: US dollars that a second of waiting costs."""
    budget: Name | None = None
    """For `budget`: name of the shared budget to follow."""
    share: Fraction | None = None
    """For `strong_share`: share of prompts that go to the second tier."""
    tier: Name | None = None
    """For `fixed`: name of the tier."""
    novel_tier: Name | None = None
    """Tier to begin with where a prompt is unlike everything the router learned from; unset: the
    rule decides by priors."""
    explore: Exploring | None = None
    """For `utility` and `budget`: try tiers, and correct what is predicted of them by the verdicts
    of the judge on what they answered; never on requests with `high_risk`. Unset: nothing is
    tried."""

    @model_validator(mode="after")
    def _explores_what_is_weighed(self) -> Self:
        if self.explore is not None and self.rule not in {"utility", "budget"}:
            raise ValueError("`explore` is only for `rule: utility` and `rule: budget`")
        return self

    @model_validator(mode="after")
    def _rule_has_what_it_needs(self) -> Self:
        needs = {"budget": "budget", "strong_share": "share", "fixed": "tier"}
        for rule, field in needs.items():
            is_given = getattr(self, field) is not None
            if is_given != (self.rule == rule):
                missing = f"`rule: {rule}` needs `{field}`"
                raise ValueError(f"`{field}` is only for `rule: {rule}`" if is_given else missing)
        return self

    def check(self, tiers: Mapping[str, int]) -> None:
        """Check it against the tiers: the number of jurors by name.

        Raises
        ------
        ValueError
            If it names another one, or needs two of one juror each.
        """
        for name in (self.tier, self.novel_tier):
            if name is not None and name not in tiers:
                raise ValueError(f"policy names tier {name!r}; there are {list(tiers)}")
        if self.rule == "strong_share" and list(tiers.values()) != [1, 1]:
            raise ValueError(
                "`rule: strong_share` needs two tiers of one juror each; their jurors are"
                f" {list(tiers.values())}"
            )
