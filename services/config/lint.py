"""Warns of configurations that work but defeat their purpose."""

import ipaddress
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from services.config.reach import unreachable
from services.config.shadow import idle
from services.config.steps import MERGE
from services.config.tree import (
    Config,
    Ensemble,
    Model,
    RouteEnsemble,
    SpecialistsEnsemble,
    Tier,
    Tiered,
    barred,
)

ADVICE: Final = {
    "UNUSED_MODEL": "no juror, judge or synthesis uses it; use it or remove it",
    "PRICE_MISSING": "its provider bills by the token, but its price is zero, so budgets and"
    " manifests count it as free; set input_usd_per_mtok and output_usd_per_mtok",
    "LONE_JUROR": "one juror is no ensemble: nothing can be compared or escalated; add a juror or"
    " a tier",
    "ONE_FAMILY": "all jurors are of the family {family}: they share their mistakes, so agreement"
    " proves little; add a juror of another family",
    "ONE_PROVIDER": "all jurors are served by {provider}: one outage silences the jury; add a"
    " juror of another provider",
    "SAME_MODEL": "{model} is asked {count} times: that is a self-ensemble, whose votes are not"
    " independent; replace the repeats by other models",
    "LARGE_JURY": "{count} jurors with equal votes: beyond {most} the weaker ones tend to outvote"
    " the best; keep the strongest, or give weights",
    "TIMEOUT_BEYOND_CALLER": "waits up to {waits:g} s, but its caller gives up after {caller:g} s"
    " (default_timeout_s); lower the one or raise the other",
    "JUDGE_OF_AUTHORS_FAMILY": "answers of the family {family} have no judge of another family,"
    " and models favour their kin; add a judge of another family",
    "JUDGE_IN_JURY": "{model} sits in the jury that it judges ({tier}); let a model judge that"
    " did not answer",
    "JUDGE_WITHOUT_MODELS": "has no effect: the judge has no models; name some or remove it",
    "JUDGE_WITHOUT_IMAGES": "jurors take images, but no judge model does, so answers about images"
    " stay unjudged; add a judge with `images: true`",
    "SYNTHESISER_IN_JURY": "{model} sits in the jury whose answers it puts together ({tier}); let a"
    " model write that did not answer",
    "SYNTHESISER_OF_JURYS_FAMILY": "{model} is of the family of all jurors ({tier}, {family}), and"
    " models favour their kin; let a model of another family write",
    "SYNTHESIS_WITHOUT_CHOICE": "has no effect: no tier has two jurors; add one or remove it",
    "SYNTHESIS_UNJUDGED": "no judge is of another family than the jurors of {tier} and {model}, so"
    " that a synthesis of all their answers stays unjudged; add a judge of another family",
    "SYNTHESIS_OF_DATA": "{ensemble} synthesises prose only, never {shape}; let the step ask an"
    " ensemble without `synthesis`, or drop its `output_format`",
    "LATENCY_BEYOND_TIMEOUT": "usually takes {usual:g} s, but is waited for only {waits:g} s; raise"
    " the timeout or remove it",
    "UNREACHABLE_TIER": "has no turn: {stronger} is no dearer, takes all that it takes, and is"
    " expected to be stronger; set `adequacy` of the models as they are, or remove it",
    "POLICY_WITHOUT_ARTEFACT": "`rule: {rule}` goes by what was learned, but no trained router is in"
    " use, so that guesses decide; `gremium router train` one, or say `rule: heuristics`",
    "BARRED_JUROR": "{model} is never asked: {why}; change `allow`, or remove it",
    "SHADOW_WITHOUT_CHOICE": "has no effect: of one tier there is no cheaper one; add a tier or"
    " remove it",
    "SHADOW_WITHOUT_BUDGET": "pays for nobody: a cheaper tier has jurors that cost money, and it may"
    " spend none; set it above 0",
    "SHADOW_WITHOUT_JUDGE": "prose is not compared: of two tiers no model of another family and"
    " outside of both juries may; name one, or say `judges: []` where no answer is prose",
    "BUDGETS_WITHOUT_LEDGER": "budgets start anew whenever the gateway does, because nothing of what"
    " was spent is recorded; set it to relaxed or strict, or remove the budgets",
    "SHADOW_WITHOUT_LEDGER": "has no effect: with `ledger.mode: off` nobody would learn what it finds;"
    " record, or remove it",
    "PRUNED_UNSIGNED": "records go after {days} days, but without `ledger.key` nobody can tell the"
    " tombstone that stands for them from a forged one; make a key with `gremium ledger key`",
    "REJECTED_WITHOUT_JUDGE": "has no effect: without a judge no answer is rejected; add `judge`"
    " or remove it",
}
"""What is wrong and what to do, by code. Codes stay the same for good."""

TIERS_AT: Final = {
    "route": "tiers.{}",
    "cascade": "tiers.{}",
    "jury": "jurors",
    "specialists": "steps.{}",
}
"""Where a tier stands, by pattern."""
LEARNED_RULES: Final = frozenset({"utility", "budget", "strong_share"})
"""Policies that weigh predictions; the default one has heuristics to begin with."""
GUESSED: Final = frozenset({"POLICY_WITHOUT_ARTEFACT", "UNREACHABLE_TIER"})
"""What only holds while nothing was learned."""
LARGEST_JURY: Final = 5
"""Jurors up to which an unweighted majority is not known to do harm."""
BILLED: Final = frozenset({"openai", "anthropic", "google"})
"""Backends that charge by the token, unless they are served from a private address."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One anti-pattern."""

    code: str
    """UPPER_SNAKE, a key of ADVICE."""
    where: str
    """Dotted path in the configuration."""
    message: str
    """What is wrong, and what to do."""

    def __str__(self) -> str:
        return f"{self.where}: {self.message} [{self.code}]"


def lint(config: Config, *, learned: bool = False) -> list[Finding]:
    """Every anti-pattern of a configuration: of its models, each ensemble, then of its ledger.

    `learned`: a trained router is in use, configured or from the shelf.
    """
    ensembles = (found for name in config.ensembles for found in _ensemble(config, name))
    found = [*_models(config), *ensembles, *_ledger(config)]
    return [each for each in found if not (learned and each.code in GUESSED)]


def _found(code: str, where: str, **seen: object) -> Finding:
    return Finding(code, where, ADVICE[code].format(**seen))


def _models(config: Config) -> Iterator[Finding]:
    used = _used(config)
    for name, model in config.models.items():
        if name not in used:
            yield _found("UNUSED_MODEL", f"models.{name}")
        if _is_billed(model) and model.price.free:
            yield _found("PRICE_MISSING", f"models.{name}.price")


def _ledger(config: Config) -> Iterator[Finding]:
    if config.budgets and config.ledger.mode == "off":
        yield _found("BUDGETS_WITHOUT_LEDGER", "ledger.mode")
    if config.ledger.keep_for_days and not config.ledger.key:
        days = config.ledger.keep_for_days
        yield _found("PRUNED_UNSIGNED", "ledger.keep_for_days", days=days)
    for name, ensemble in config.ensembles.items():
        if isinstance(ensemble, Tiered) and ensemble.shadow and config.ledger.mode == "off":
            yield _found("SHADOW_WITHOUT_LEDGER", f"ensembles.{name}.shadow")


def _used(config: Config) -> set[str]:
    recorders = {model.record for model in config.models.values() if model.record}
    return recorders.union(*(_asked(ensemble) for ensemble in config.ensembles.values()))


def _asked(ensemble: Ensemble) -> set[str]:
    jurors = {juror.model for tier in ensemble.tiers for juror in tier.jurors}
    return jurors.union(ensemble.beside_jurors)


def _is_billed(model: Model) -> bool:
    return model.backend in BILLED and not _is_private(urlsplit(model.base_url).hostname or "")


def _is_private(host: str) -> bool:
    """Whether a host is this machine or in its network. A name without a dot is."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return bool(host) and "." not in host


def _ensemble(config: Config, name: str) -> Iterator[Finding]:
    ensemble, where = config.ensembles[name], f"ensembles.{name}"
    is_graph = ensemble.pattern == "specialists"
    if not is_graph and sum(len(tier.jurors) for tier in ensemble.tiers) == 1:
        yield _found("LONE_JUROR", where)
    for tier in ensemble.tiers:
        at = f"{where}.{TIERS_AT[ensemble.pattern].format(tier.name)}"
        yield from _jury(config, tier, at)
        yield from _waits(config, ensemble, tier, at)
        if _writes_the_answer(ensemble, tier):
            yield from _judged(config, ensemble, tier, f"{where}.judge.models")
    for weaker, stronger in _passed_over(config, ensemble):
        yield _found("UNREACHABLE_TIER", f"{where}.tiers.{weaker}", stronger=stronger)
    yield from _routing(config, ensemble, where)
    yield from _judge_settings(ensemble, where)
    yield from _images(config, ensemble, f"{where}.judge.models")
    yield from _synthesis(config, ensemble, where)
    yield from _synthesised_data(config, ensemble, where)
    if isinstance(ensemble, Tiered):
        for code, at in idle(ensemble, config.models):
            yield _found(code, f"{where}.{at}")


def _jury(config: Config, tier: Tier, where: str) -> Iterator[Finding]:
    models = [config.models[juror.model] for juror in tier.jurors]
    first, count = models[0], len(models)
    if count > 1 and len({_same(model.family) for model in models}) == 1:
        yield _found("ONE_FAMILY", where, family=first.family)
    if count > 1 and len({_same(model.provider_name) for model in models}) == 1:
        yield _found("ONE_PROVIDER", where, provider=first.provider_name)
    for (*_, model), times in Counter(map(_identity, models)).items():
        if times > 1:
            yield _found("SAME_MODEL", where, model=model, count=times)
    if count > LARGEST_JURY and len({juror.weight for juror in tier.jurors}) == 1:
        yield _found("LARGE_JURY", where, count=count, most=LARGEST_JURY)


def _same(name: str) -> str:
    """What two spellings of a name have in common, as the judge compares families."""
    return name.strip().casefold()


def _identity(model: Model) -> tuple[str, str, str]:
    return model.backend, model.base_url.rstrip("/"), model.model


def _writes_the_answer(ensemble: Ensemble, tier: Tier) -> bool:
    """Of specialists only the last ones do; what the others wrote is not judged."""
    if not isinstance(ensemble, SpecialistsEnsemble):
        return True
    merged = ensemble.merge is not None and ensemble.merge.model is not None
    return tier.name == MERGE if merged else tier.name in ensemble.final


def _passed_over(config: Config, ensemble: Ensemble) -> Iterator[tuple[str, str]]:
    """A cascade keeps its order, so that each of its tiers has its turn; so has each step.

    Of a trained router nobody can say without the prompt.
    """
    is_guessed = config.router.artefact is None
    if is_guessed and ensemble.pattern not in {"cascade", "specialists"}:
        yield from unreachable(ensemble.tiers, config.models)


def _routing(config: Config, ensemble: Ensemble, where: str) -> Iterator[Finding]:
    """A policy that nothing was learned for, and jurors that the ensemble may never ask."""
    policy = ensemble.policy if isinstance(ensemble, RouteEnsemble) else None
    if policy and policy.rule in LEARNED_RULES and config.router.artefact is None:
        yield _found("POLICY_WITHOUT_ARTEFACT", f"{where}.policy.rule", rule=policy.rule)
    for tier in ensemble.tiers:
        at = f"{where}.{TIERS_AT[ensemble.pattern].format(tier.name)}"
        for juror in tier.jurors:
            if why := barred(ensemble, config.models[juror.model]):
                yield _found("BARRED_JUROR", f"{at}.{juror.label}", model=juror.model, why=why)


def _waits(config: Config, ensemble: Ensemble, tier: Tier, where: str) -> Iterator[Finding]:
    caller_s = ensemble.default_timeout_s
    for juror in tier.jurors:
        model, at = config.models[juror.model], f"{where}.{juror.label}"
        waits_s = juror.timeout_s or model.timeout_s
        if caller_s is not None and waits_s > caller_s:
            yield _found("TIMEOUT_BEYOND_CALLER", at, waits=waits_s, caller=caller_s)
        most_s, usual_s = min(waits_s, caller_s or waits_s), model.expected_latency_s
        if usual_s is not None and usual_s > most_s:
            yield _found("LATENCY_BEYOND_TIMEOUT", at, usual=usual_s, waits=most_s)


def _judged(config: Config, ensemble: Ensemble, tier: Tier, where: str) -> Iterator[Finding]:
    judges = ensemble.judge.models if ensemble.judge else ()
    jurors = [config.models[juror.model] for juror in tier.jurors]
    families = {_same(config.models[name].family) for name in judges}
    for same, family in sorted({_same(juror.family): juror.family for juror in jurors}.items()):
        if families == {same}:
            yield _found("JUDGE_OF_AUTHORS_FAMILY", where, family=family)
    seated = {_identity(juror) for juror in jurors}
    for name in judges:
        if _identity(config.models[name]) in seated:
            yield _found("JUDGE_IN_JURY", where, model=name, tier=tier.name)


def _judge_settings(ensemble: Ensemble, where: str) -> Iterator[Finding]:
    judge, caller_s = ensemble.judge, ensemble.default_timeout_s
    if judge is None:
        if ensemble.deliver_rejected:
            yield _found("REJECTED_WITHOUT_JUDGE", f"{where}.deliver_rejected")
        return
    if not judge.models and judge.promise is None:
        # `judge: {}` says on purpose that the checks alone are wanted; anything in it does not.
        for setting in sorted(judge.model_fields_set):
            yield _found("JUDGE_WITHOUT_MODELS", f"{where}.judge.{setting}")
    elif caller_s is not None and judge.timeout_s > caller_s:
        at = f"{where}.judge"
        yield _found("TIMEOUT_BEYOND_CALLER", at, waits=judge.timeout_s, caller=caller_s)


def _images(config: Config, ensemble: Ensemble, where: str) -> Iterator[Finding]:
    judges = ensemble.judge.models if ensemble.judge else ()
    jurors = [juror.model for tier in ensemble.tiers for juror in tier.jurors]
    judge_sees = any(config.models[name].images for name in judges)
    if judges and not judge_sees and any(config.models[name].images for name in jurors):
        yield _found("JUDGE_WITHOUT_IMAGES", where)


def _synthesis(config: Config, ensemble: Ensemble, where: str) -> Iterator[Finding]:
    synthesis, caller_s = ensemble.synthesis, ensemble.default_timeout_s
    if synthesis is None:
        return
    at = f"{where}.synthesis"
    if all(len(tier.jurors) == 1 for tier in ensemble.tiers):
        yield _found("SYNTHESIS_WITHOUT_CHOICE", at)
    if caller_s is not None and synthesis.timeout_s > caller_s:
        yield _found("TIMEOUT_BEYOND_CALLER", at, waits=synthesis.timeout_s, caller=caller_s)
    for tier in ensemble.tiers:
        for name in synthesis.models if len(tier.jurors) > 1 else ():
            yield from _synthesiser(config, ensemble, tier, name, f"{at}.models")


def _synthesiser(
    config: Config, ensemble: Ensemble, tier: Tier, name: str, where: str
) -> Iterator[Finding]:
    model, jurors = config.models[name], [config.models[juror.model] for juror in tier.jurors]
    families = {_same(juror.family) for juror in jurors}
    if _identity(model) in {_identity(juror) for juror in jurors}:
        yield _found("SYNTHESISER_IN_JURY", where, model=name, tier=tier.name)
    if families == {_same(model.family)}:
        family = model.family
        yield _found(
            "SYNTHESISER_OF_JURYS_FAMILY", where, model=name, tier=tier.name, family=family
        )
    judges = ensemble.judge.models if ensemble.judge else ()
    authors = families | {_same(model.family)}
    if judges and authors.issuperset(_same(config.models[judge].family) for judge in judges):
        yield _found("SYNTHESIS_UNJUDGED", where, tier=tier.name, model=name)


def _synthesised_data(config: Config, ensemble: Ensemble, where: str) -> Iterator[Finding]:
    """Steps that want data of an ensemble that synthesises prose."""
    steps = ensemble.steps if isinstance(ensemble, SpecialistsEnsemble) else {}
    for name, step in steps.items():
        shape = step.output_format
        if step.ensemble and shape and config.ensembles[step.ensemble].synthesis:
            told = "labels" if shape.labels else "numbers" if shape.number else "JSON"
            at = f"{where}.steps.{name}"
            yield _found("SYNTHESIS_OF_DATA", at, ensemble=step.ensemble, shape=told)
