"""Which tiers have no turn, whatever the prompt: another is better in every respect."""

from collections.abc import Iterator, Mapping, Sequence

from services.config.tree import Model, Tier

Models = Sequence[Model]


def unreachable(tiers: Sequence[Tier], models: Mapping[str, Model]) -> Iterator[tuple[str, str]]:
    """Pairs of a tier that has no turn and the one that stands in its way.

    Only what holds for every prompt: a specialist is asked in its domain, and
    a majority of another size may be the stronger one for some prompts.
    """
    general = [tier for tier in tiers if not tier.domains]
    of_tier = {tier.name: [models[juror.model] for juror in tier.jurors] for tier in general}
    for index, tier in enumerate(general):
        for earlier in general[:index]:
            if _shadows(of_tier[earlier.name], of_tier[tier.name]):
                yield tier.name, earlier.name
                break


def _shadows(earlier: Models, later: Models) -> bool:
    """Whether one tier always comes first, takes every prompt of the other, and is stronger."""
    return (
        _stronger(earlier, later) and _never_dearer(earlier, later) and _takes_all(earlier, later)
    )


def _stronger(one: Models, other: Models) -> bool:
    """Whether jurors can be paired so that none is weaker and at least one is stronger."""
    ours, theirs = (sorted(model.adequacy for model in tier) for tier in (one, other))
    paired = len(ours) == len(theirs) and ours != theirs
    return paired and all(p >= q for p, q in zip(ours, theirs, strict=True))


def _never_dearer(one: Models, other: Models) -> bool:
    return all(p <= q for p, q in zip(_prices(one), _prices(other), strict=True))


def _prices(models: Models) -> tuple[float, float]:
    """Sums of the prices of input and of output."""
    prices = [model.price for model in models]
    return sum(p.input_usd_per_mtok for p in prices), sum(p.output_usd_per_mtok for p in prices)


def _takes_all(one: Models, other: Models) -> bool:
    """Whether every juror of one can take what any juror of the other can."""
    return (
        all(model.images for model in one) >= any(model.images for model in other)
        and all(model.tools for model in one) >= any(model.tools for model in other)
        and min(model.context_tokens for model in one)
        >= max(model.context_tokens for model in other)
        and max(model.expected_latency_s or 0.0 for model in one)
        <= min(model.expected_latency_s or 0.0 for model in other)
    )
