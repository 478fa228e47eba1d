"""What to change, in words, and as edits of the configuration. Pure."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from services.config.tree import Config, Ensemble, RouteEnsemble
from services.report.baselines import Choice
from services.report.edits import Edit, Set, Without, WithoutTier
from services.report.figures import Figure
from services.report.homogeneity import seen
from services.report.judging import Judging
from services.report.routing import Routing
from services.report.sink import GAP, NEEDED, SAME, Member
from services.report.summary import EnsembleFigures, PairFigures, PoolFigures, Report
from services.report.wording import number, percent, points, usd

OVER: Final = 0.2
"""Share of a dear tier's requests that a cheaper one must do at least, to be told of."""
UNJUDGED: Final = 0.2
"""Share of verdicts that may be none."""
STEADY: Final = 0.9
"""Share of comparisons that must not change with the order."""
POOR_KAPPA: Final = 0.2
"""Agreement of judge and feedback beyond chance that is hardly any."""
GAINED: Final = 0.01
"""Share of right answers that a router must be able to win over a plain rule."""
KIN: Final = 0.05
"""Share of verdicts that may be by a model of the author's family."""


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to change."""

    code: str
    """UPPER_SNAKE; stays the same for good."""
    ensemble: str
    text: str
    edits: tuple[Edit, ...] = ()
    """Empty: nothing that can be done by leaving out or changing what stands in the file."""


def advised(report: Report, config: Config) -> Iterator[Advice]:
    """What the figures recommend for ensembles that the configuration still has."""
    for figures in report.ensembles:
        ensemble = config.ensembles.get(figures.name)
        if ensemble is None:
            continue
        for pool in figures.pools:
            yield from _jury(pool, ensemble, calibrated=config.calibration is not None)
            yield from (_together(pool, pair) for pair in pool.pairs if pair.errors.together)
        yield from _tiers(figures, ensemble)
        if figures.judging is not None and ensemble.judge is not None:
            by_checks_alone = not (ensemble.judge.models or ensemble.judge.promise)
            yield from _judge(figures.name, figures.judging, by_checks_alone=by_checks_alone)


def _jury(pool: PoolFigures, ensemble: Ensemble, *, calibrated: bool) -> Iterator[Advice]:
    """The one change that saves most, and is not undone by another."""
    sink = pool.sink
    smaller = [juror for juror in pool.jurors if juror not in sink.enough] if sink.enough else []
    if sink.same.value is not None and sink.same.n >= NEEDED and sink.same.value >= SAME:
        others = [juror for juror in pool.jurors if juror != sink.best]
        told = f"{sink.best} alone comes to the same in {percent(sink.same)} of {sink.same.n}"
        saved = f"the other {len(others)} cost {usd(sink.saved_usd)}"
        text = f"{told} requests; {saved}. Let it answer alone, or first, with the jury behind it."
        yield Advice("ONE_JUROR_IS_ENOUGH", pool.ensemble, text, _leaving(pool, ensemble, others))
    elif smaller and sink.kind == "kitchen_sink":
        text = (
            f"{_names(sink.enough)} {_are(sink.enough)} enough{_for_cost(sink.cost_share)}:"
            f" {points(sink.gain)} points beside all {len(pool.jurors)}. Leave out"
            f" {_names(smaller)}."
        )
        yield Advice("SMALLER_JURY", pool.ensemble, text, _leaving(pool, ensemble, smaller))
    elif harmful := [each for each in pool.members if each.harmful]:
        worst = min(harmful, key=lambda each: each.adds.value or 0.0).name
        text = f"{_outvoting(harmful)} Leave out {worst}{_then(len(harmful))}."
        yield Advice("HARMFUL_JUROR", pool.ensemble, text, _leaving(pool, ensemble, [worst]))
    elif sink.plain and not calibrated and sink.gap.value is not None and sink.gap.value > GAP:
        text = (
            f"The best juror is {points(sink.gap)} points above the mean, and every vote counts the"
            f" same. Learn how much each counts: `gremium calibrate --ledger --out calibration.json`"
        )
        yield Advice("UNEQUAL_JURORS", pool.ensemble, text)


def _outvoting(harmful: Sequence[Member]) -> str:
    """Each is told alone: of two who mislead each other's vote, one may be enough to leave out."""
    told = "; ".join(f"with {each.name} by {points(each.adds)} points" for each in harmful)
    return f"The vote is less often right {told}: those who know better are outvoted."


def _then(harmful: int) -> str:
    return ", then look again at the others" if harmful > 1 else ""


def _leaving(pool: PoolFigures, ensemble: Ensemble, jurors: Sequence[str]) -> tuple[Edit, ...]:
    """Edits that leave jurors out, and with them what the quorum asks of those who are gone."""
    tier = next((each for each in ensemble.tiers if each.name == pool.tier or not pool.tier), None)
    if tier is None:
        return ()
    configured = [juror.label for juror in tier.jurors]
    gone = [juror for juror in jurors if juror in configured]
    left = len(configured) - len(gone)
    edits: list[Edit] = [Without(pool.ensemble, pool.tier, juror) for juror in gone]
    if tier.quorum is not None and tier.quorum > left > 0:
        quorum = str(left // 2 + 1)
        edits.append(Set(pool.ensemble, pool.tier, ("quorum",), quorum))
    return tuple(edits)


def _together(pool: PoolFigures, pair: PairFigures) -> Advice:
    text = (
        f"{pair.first} and {pair.second} hardly count as two: {seen(pair.errors)}."
        " Replace one by a model of another family."
    )
    return Advice("ERRORS_TOGETHER", pool.ensemble, text)


def _tiers(figures: EnsembleFigures, ensemble: Ensemble) -> Iterator[Advice]:
    routing = figures.routing
    if routing is None:
        return
    if routing.over.low is not None and routing.over.low > OVER:
        text = (
            f"Of what dearer tiers answered, cheaper ones answer {percent(routing.over)} as well;"
            f" {usd(routing.saved_usd)} would have been saved. {_cheaper(ensemble)}"
        )
        lower = _cheaper_edits(figures, ensemble)
        yield Advice("TOO_DEAR", figures.name, f"{text}{_held(routing, lower)}", lower)
    yield from (_chance(figures.name, choice) for choice in routing.choices if _is_idle(choice))
    for step in routing.steps:
        if step.in_vain and _accepts_alone(ensemble, step.tier):
            text = (
                f"{step.tier} is not enough in {percent(step.moved)} of {step.moved.n} requests,"
                f" and costs more ({usd(step.usd)} each) than that it answers the others. Begin"
                f" with {step.next_tier}."
            )
            edits = (WithoutTier(figures.name, step.tier),)
            yield Advice("TIER_IN_VAIN", figures.name, text, edits)


def _is_idle(choice: Choice) -> bool:
    """Whether a plain rule is as good as the router, at the most that is likely."""
    return choice.n >= NEEDED and _winner(choice) is not None


def _winner(choice: Choice) -> Figure | None:
    gains = (choice.over_chance, choice.over_length)
    return next((each for each in gains if each.high is not None and each.high < GAINED), None)


def _chance(ensemble: str, choice: Choice) -> Advice:
    rule = "chance" if _winner(choice) is choice.over_chance else "sending the longest prompts"
    gain = points(_winner(choice) or choice.over_chance)
    text = (
        f"Between {choice.cheaper} and {choice.dearer} the router is no better than {rule} at the"
        f" same price: {gain} points more right in {choice.n} requests. Train it on what was seen:"
        " `gremium router train --from-ledger`."
    )
    return Advice("ROUTER_LIKE_CHANCE", ensemble, text)


def _accepts_alone(ensemble: Ensemble, tier: str) -> bool:
    """Whether a tier can be enough at all: a lone juror that nobody judges only confirms others."""
    judged = ensemble.judge is not None and bool(ensemble.judge.models or ensemble.judge.promise)
    jurors = next((len(each.jurors) for each in ensemble.tiers if each.name == tier), 0)
    return ensemble.pattern == "route" or judged or jurors > 1


def _cheaper(ensemble: Ensemble) -> str:
    if not isinstance(ensemble, RouteEnsemble):
        return "Lower `accept_at`, so that cheaper tiers are believed sooner."
    match ensemble.policy.rule:
        case "strong_share":
            return "Lower `policy.share`."
        case "utility" | "budget":
            return "Lower `policy.value_usd`, or train the router on what was seen."
        case "fixed":
            return "Choose the tier by the prompt instead of `rule: fixed`."
        case _:
            return "Lower `min_adequacy`, or train the router on what was seen."


def _cheaper_edits(figures: EnsembleFigures, ensemble: Ensemble) -> tuple[Set, ...]:
    """A lower bar where the figures say which: of shares, what is needed; of adequacy, what held."""
    routing = figures.routing
    if routing is None or not isinstance(ensemble, RouteEnsemble):
        return ()
    if ensemble.policy.rule == "strong_share" and routing.over.low is not None:
        share = (ensemble.policy.share or 0.0) * (1.0 - routing.over.low)
        return (Set(figures.name, "", ("policy", "share"), f"{share:.2f}"),)
    bar = routing.adequate_from(ensemble.min_adequacy)
    if ensemble.policy.rule in {"quality_target", "heuristics"} and bar is not None:
        rounded_up = math.ceil(100 * bar) / 100
        return (Set(figures.name, "", ("min_adequacy",), f"{rounded_up:.2f}"),)
    return ()


def _held(routing: Routing, edits: Sequence[Set]) -> str:
    """What a lower bar would have meant for the requests that were looked at."""
    bar = next((edit.value for edit in edits if edit.keys == ("min_adequacy",)), None)
    if bar is None:
        return ""
    held = routing.held_from(float(bar))
    moved = f"{held.n} of {len(routing.predicted)} of them go to a cheaper tier"
    return f" At {bar}, {moved}, which does as well in {percent(held)}."


def _judge(name: str, judging: Judging, *, by_checks_alone: bool) -> Iterator[Advice]:
    """`by_checks_alone`: so it is configured, and that most go unjudged is no news."""
    unjudged = judging.unjudged.low if not by_checks_alone else None
    if unjudged is not None and unjudged > UNJUDGED:
        why = f", mostly for {next(iter(judging.reasons))}" if judging.reasons else ""
        text = f"{percent(judging.unjudged)} of the answers go unjudged{why}. {_unjudged(judging)}"
        yield Advice("UNJUDGED", name, text)
    if judging.kin.low is not None and judging.kin.low > KIN:
        text = (
            f"{percent(judging.kin)} of the verdicts are by a model of the author's own family, and"
            " models favour their kin. Add a judge of another family."
        )
        yield Advice("JUDGE_OF_KIN", name, text)
    if judging.steady.high is not None and judging.steady.high < STEADY:
        text = (
            f"Only {percent(judging.steady)} of the compared answers keep their place when the order"
            " is swapped. Compare with another judge."
        )
        yield Advice("UNSTEADY_JUDGE", name, text)
    if judging.kappa.high is not None and judging.kappa.high < POOR_KAPPA:
        text = (
            f"Verdicts say as feedback does in {percent(judging.agrees)}, beyond chance hardly at"
            f" all (kappa {number(judging.kappa)}). Let a calibration decide how far to believe"
            " them: `judge.promise` and `gremium calibrate --ledger`."
        )
        yield Advice("JUDGE_DISAGREES", name, text)


def _unjudged(judging: Judging) -> str:
    reason = next(iter(judging.reasons), "")
    if reason in {"NO_INDEPENDENT_JUDGE", "JUDGE_RECUSED"}:
        return "Add a judge of another family than the jurors'."
    if reason == "NO_PROMISE":
        return "Loosen `judge.promise`, or give more feedback and calibrate again."
    return "See why in their manifests, and name a second judge to stand in."


def _names(jurors: Sequence[str]) -> str:
    *most, last = jurors
    return f"{', '.join(most)} and {last}" if most else last


def _are(jurors: Sequence[str]) -> str:
    return "is" if len(jurors) == 1 else "are"


def _for_cost(cost_share: float | None) -> str:
    return f", for {cost_share:.0%} of what all cost" if cost_share is not None else ""
