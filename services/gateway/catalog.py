"""The configured ensembles and roster as the contract tells them. No I/O."""

from gremium.v1 import ensemble_pb2, router_pb2
from services.config.tree import Config, Ensemble, Model, Tier
from services.gateway.accounts import Account
from services.runtime.wire import duration_to_wire, timestamp_to_wire


def to_wire(config: Config, *, sha256: str) -> ensemble_pb2.ListEnsemblesResponse:
    return ensemble_pb2.ListEnsemblesResponse(
        ensembles=[_ensemble(*item) for item in sorted(config.ensembles.items())],
        default_ensemble=config.default,
        models=[_model(*item) for item in sorted(config.models.items())],
        config_sha256=sha256,
    )


def _ensemble(name: str, ensemble: Ensemble) -> ensemble_pb2.Ensemble:
    default_s = ensemble.default_timeout_s
    return ensemble_pb2.Ensemble(
        name=name,
        pattern=ensemble.pattern,
        tiers=[tier_to_wire(tier) for tier in ensemble.tiers],
        judges=ensemble.judge.models if ensemble.judge else (),
        synthesisers=ensemble.synthesis.models if ensemble.synthesis else (),
        default_timeout=None if default_s is None else duration_to_wire(default_s),
    )


def tier_to_wire(tier: Tier) -> router_pb2.Tier:
    return router_pb2.Tier(
        name=tier.name, jurors=[juror.label for juror in tier.jurors], quorum=tier.needed
    )


def _model(name: str, model: Model) -> ensemble_pb2.RosterModel:
    return ensemble_pb2.RosterModel(
        name=name,
        backend=model.backend,
        requested_model=model.model,
        provider=model.provider_name,
        family=model.family,
        timeout=duration_to_wire(model.timeout_s),
    )


def budget_to_wire(account: Account) -> ensemble_pb2.BudgetRecord:
    budget = account.budget
    return ensemble_pb2.BudgetRecord(
        name=account.name,
        per=budget.per,
        end_time=timestamp_to_wire(account.ends),
        caller=account.caller,
        max_usd=budget.max_usd,
        spent_usd=account.spent_usd,
        reserved_usd=account.held_usd,
        ensembles=budget.ensembles,
    )
