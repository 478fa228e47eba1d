"""What each step of a plan is expected to use. No I/O."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Final

from services.config.steps import MERGE, Step
from services.config.tree import Ensemble, Model, SpecialistsEnsemble, Tier
from services.core.graph import critical_path, time_behind

SEARCH_S: Final = 2.0
"""Expected time of a search, changed files included."""
USUAL_S: Final = 5.0
"""Expected time of a model when none of a plan was measured: all of them count the same."""
JUDGE: Final = ""
"""No step is called so."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a step is expected to use, relative to the others."""

    seconds: float
    calls: int
    usd: float
    """Sum of its models' prices of a million tokens in and out."""
    critical: bool = False
    """Whether it is on the critical path."""


@dataclass(frozen=True, slots=True)
class Roster:
    """Models and ensembles that steps can name."""

    models: Mapping[str, Model]
    ensembles: Mapping[str, Ensemble]


def needs(ensemble: SpecialistsEnsemble, roster: Roster) -> dict[str, Need]:
    """Expected use of each step, and of the merge and the judge if there are any.

    A timeout says how long a model may take, not how long it does: a model that
    was not measured counts like those that were, on average.
    """
    usual_s = _usual_s(ensemble, roster)
    found = {name: _step_need(step, roster, usual_s) for name, step in ensemble.steps.items()}
    merge, judge = ensemble.merge, ensemble.judge
    if merge is not None and merge.model is not None:
        found[MERGE] = _model_need(roster.models[merge.model], usual_s)
    if judge is not None and judge.models:
        found[JUDGE] = _model_need(roster.models[judge.models[0]], usual_s)
    return _with_critical(ensemble, found)


def _with_critical(ensemble: SpecialistsEnsemble, found: dict[str, Need]) -> dict[str, Need]:
    """Tell the steps of the critical path; the merge and the judge are behind any."""
    seconds = {name: found[name].seconds for name in ensemble.steps}
    critical = {*critical_path(ensemble.reads, seconds), MERGE, JUDGE}
    return {name: replace(need, critical=name in critical) for name, need in found.items()}


def most_passages(step: Step, ensembles: Mapping[str, Ensemble]) -> int:
    """Most passages that a step can find, by itself or within the graph that it asks."""
    if step.retrieval is not None:
        return step.retrieval.passages
    asked = ensembles[step.ensemble] if step.ensemble else None
    if not isinstance(asked, SpecialistsEnsemble):
        return 0
    return sum(most_passages(inner, ensembles) for inner in asked.steps.values())


def seconds_behind(ensemble: SpecialistsEnsemble, expected: Mapping[str, Need]) -> dict[str, float]:
    """Expected seconds of the longest path behind each step, the merge included."""
    merge_s = expected[MERGE].seconds if MERGE in expected else 0.0
    seconds = {name: expected[name].seconds for name in ensemble.steps}
    return {name: s + merge_s for name, s in time_behind(ensemble.reads, seconds).items()}


def longest_s(expected: Mapping[str, Need], behind: Mapping[str, float]) -> float:
    """Expected seconds of the critical path, > 0."""
    return max(expected[name].seconds + behind[name] for name in behind)


def _usual_s(ensemble: SpecialistsEnsemble, roster: Roster) -> float:
    asked = [step.ensemble for step in ensemble.steps.values() if step.ensemble]
    tiers = [tier for e in [ensemble, *map(roster.ensembles.get, asked)] if e for tier in e.tiers]
    return _mean_s(roster.models[juror.model] for tier in tiers for juror in tier.jurors)


def _mean_s(models: Iterable[Model]) -> float:
    measured = [m.expected_latency_s for m in models if m.expected_latency_s is not None]
    return fmean(measured) if measured else USUAL_S


def _step_need(step: Step, roster: Roster, usual_s: float) -> Need:
    """No more than it may take."""
    need = _done_by(step, roster, usual_s)
    most_s = need.seconds if step.timeout_s is None else step.timeout_s
    return Need(min(need.seconds, most_s), need.calls, need.usd)


def _done_by(step: Step, roster: Roster, usual_s: float) -> Need:
    if step.model is not None:
        return _model_need(roster.models[step.model], usual_s)
    if step.ensemble is None:
        return Need(SEARCH_S, 0, 0.0)
    return _ensemble_need(roster.ensembles[step.ensemble], roster, usual_s)


def _ensemble_need(ensemble: Ensemble, roster: Roster, usual_s: float) -> Need:
    """Of tier after tier, or of a graph's critical path; each with its judge."""
    if isinstance(ensemble, SpecialistsEnsemble):
        every = needs(ensemble, roster)
        judge_s = every[JUDGE].seconds if JUDGE in every else 0.0
        return _sum(every.values(), longest_s(every, seconds_behind(ensemble, every)) + judge_s)
    judges = ensemble.judge.models[:1] if ensemble.judge else ()
    writers = ensemble.synthesis.models[:1] if ensemble.synthesis else ()
    asked = [
        *(_tier_need(tier, roster, usual_s) for tier in ensemble.tiers),
        *(_model_need(roster.models[name], usual_s) for name in (*writers, *judges)),
    ]
    return _sum(asked, sum(need.seconds for need in asked))


def _tier_need(tier: Tier, roster: Roster, usual_s: float) -> Need:
    """Jurors wait for each other and are all paid."""
    jurors = [_model_need(roster.models[juror.model], usual_s) for juror in tier.jurors]
    return _sum(jurors, max(need.seconds for need in jurors))


def _model_need(model: Model, usual_s: float) -> Need:
    price = model.price
    usd = price.input_usd_per_mtok + price.output_usd_per_mtok
    return Need(min(model.expected_latency_s or usual_s, model.timeout_s), 1, usd)


def _sum(asked: Iterable[Need], seconds: float) -> Need:
    every = list(asked)
    return Need(seconds, sum(need.calls for need in every), sum(need.usd for need in every))
