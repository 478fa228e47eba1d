"""Every rpc of the contract is answered, but for those that a later version will answer."""

from importlib import import_module

import pytest

PLANNED: frozenset[str] = frozenset()
"""Methods of the contract that nobody answers yet."""
SERVICERS = {
    "EnsembleService": ("ensemble", "services.gateway.service", "EnsembleServicer"),
    "RouterService": ("router", "router_svc.service", "RouterServicer"),
    "JuryService": ("jury", "jury_svc.service", "JuryServicer"),
    "JudgeService": ("judge", "judge_svc.service", "JudgeServicer"),
    "AggregatorService": ("aggregator", "aggregator_svc.service", "AggregatorServicer"),
    "ModelStatusService": ("model_status", "services.models.states", "ModelStatusServicer"),
}
MODULES = (
    "aggregator",
    "ensemble",
    "judge",
    "jury",
    "manifest",
    "model_status",
    "router",
    "types",
)


def unanswered(service: str) -> set[str]:
    """Methods that a servicer leaves as the generated base class has them."""
    proto, module, name = SERVICERS[service]
    base = getattr(import_module(f"gremium.v1.{proto}_pb2_grpc"), f"{service}Servicer")
    servicer = getattr(import_module(module), name)
    described = import_module(f"gremium.v1.{proto}_pb2").DESCRIPTOR.services_by_name[service]
    return {
        f"{described.full_name}/{method.name}"
        for method in described.methods
        if getattr(servicer, method.name) is getattr(base, method.name)
    }


def test_every_service_of_the_contract_has_a_servicer():
    files = [import_module(f"gremium.v1.{name}_pb2").DESCRIPTOR for name in MODULES]

    assert set(SERVICERS) == {name for file in files for name in file.services_by_name}


@pytest.mark.parametrize("service", SERVICERS)
def test_answers_every_rpc_but_the_planned_ones(service):
    assert {rpc for rpc in PLANNED if f".{service}/" in rpc} == unanswered(service)
