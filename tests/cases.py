"""Requests on their way through the gateway, for tests that script the rest."""

from gremium.v1 import ensemble_pb2, types_pb2
from services.config.tree import CascadeEnsemble, Config, Ensemble, JuryEnsemble, RouteEnsemble
from services.core.deadline import Deadline
from services.gateway.case import Case

PROMPT = types_pb2.Prompt(
    messages=[types_pb2.Message(role=types_pb2.ROLE_USER, parts=[types_pb2.Part(text="6 x 7?")])]
)
MODEL = {"backend": "openai", "model": "m", "family": "f", "timeout_s": 5}


def tier(name: str, *, seats: int = 1) -> dict:
    return {
        "name": name,
        "jurors": [{"model": name, "name": f"{name}-{nth}"} for nth in range(seats)],
    }


def case(
    *tiers: dict, allowed_s: float = 10.0, budget: types_pb2.Budget | None = None, **ensemble
) -> Case:
    """A request to an ensemble of the pattern route, with a judge unless told otherwise."""
    settings = {"judge": {"models": ["judge"]}, **ensemble}
    named = RouteEnsemble(pattern="route", tiers=tiers or (tier("small"),), **settings)
    return _case(named, allowed_s=allowed_s, budget=budget)


def cascade_case(
    *tiers: dict, allowed_s: float = 10.0, budget: types_pb2.Budget | None = None, **ensemble
) -> Case:
    """A request to an ensemble of the pattern cascade, without a judge unless told otherwise."""
    named = CascadeEnsemble(pattern="cascade", tiers=tiers, **ensemble)
    return _case(named, allowed_s=allowed_s, budget=budget)


def jury_case(*, seats: int = 3, allowed_s: float = 10.0, **ensemble) -> Case:
    """A request to an ensemble of the pattern jury, whose jurors are one model."""
    settings = {"judge": {"models": ["judge"]}, **ensemble}
    named = JuryEnsemble(pattern="jury", jurors=tier("jury", seats=seats)["jurors"], **settings)
    return _case(named, allowed_s=allowed_s, budget=None)


def config(*tiers: dict, **ensemble) -> Config:
    """A configuration with one ensemble, `main`, and each model it names."""
    settings = {"judge": {"models": ["judge"]}, **ensemble}
    return _config(RouteEnsemble(pattern="route", tiers=tiers, **settings))


def _config(ensemble: Ensemble) -> Config:
    models = {juror.model: MODEL for t in ensemble.tiers for juror in t.jurors}
    return Config(models={"judge": MODEL, **models}, ensembles={"main": ensemble})


def _case(ensemble: Ensemble, *, allowed_s: float, budget: types_pb2.Budget | None) -> Case:
    return Case(
        request_id="r1",
        asked=ensemble_pb2.AskRequest(prompt=PROMPT, budget=budget, labels={"team": "a"}),
        name="main",
        ensemble=ensemble,
        models=_config(ensemble).models,
        config_sha256="0" * 64,
        allowed_s=allowed_s,
        deadline=Deadline.after(allowed_s),
    )
