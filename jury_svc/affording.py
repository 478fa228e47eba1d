"""Whom a lease can pay, and how much each may write for it. No clock, no I/O."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass

from jury_svc.case import Case, Juror
from jury_svc.quorum import affordable
from services.core.answers import ModelRequest
from services.core.lease import MIN_OUTPUT_TOKENS, Call, output_limits
from services.models.pricing import dearest, limited


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to ask what, and whom not."""

    asked: tuple[tuple[Juror, ModelRequest], ...]
    """In juror order."""
    unpaid: tuple[tuple[Juror, str], ...]
    """The others, and why they cannot be asked."""


def planned(case: Case) -> Plan:
    """Ask all jurors that the lease can pay together; nobody when they are too few for the quorum.

    The lease is split over those who are asked, and each may write as much as
    its share pays for. Whoever could hardly write anything is left out, the
    last first, for the others' benefit.
    """
    unpaid = {j.name: why for j in case.jurors if (why := _exhausted(j, case))}
    able = [_question(juror, case) for juror in case.jurors if juror.name not in unpaid]
    while True:
        count = affordable(len(able), model_calls=case.lease.model_calls, quorum=case.quorum)
        limits = output_limits([call for _, _, call in able[:count]], case.lease)
        short = [i for i, most in enumerate(limits) if not able[i][2].is_worth(most)]
        if not short:
            break
        juror, _, _ = able.pop(short[-1])
        unpaid[juror.name] = f"its share of the budget pays for no {MIN_OUTPUT_TOKENS} tokens"
    asked = [
        (juror, limited(request, most, call))
        for (juror, request, call), most in zip(able[:count], limits, strict=True)
    ]
    return Plan(tuple(asked), tuple(_unasked(case, unpaid, {juror.name for juror, _ in asked})))


def _question(juror: Juror, case: Case) -> tuple[Juror, ModelRequest, Call]:
    request = ModelRequest(case.prompt, juror.instruction)
    return juror, request, dearest(request, juror.model.spec)


def _exhausted(juror: Juror, case: Case) -> str:
    limit = case.lease.exhausted(free=juror.free)
    return f"the budget left too little {limit} to ask it" if limit else ""


def _unasked(
    case: Case, unpaid: Mapping[str, str], asked: Container[str]
) -> Iterator[tuple[Juror, str]]:
    for juror in case.jurors:
        if juror.name not in asked:
            yield juror, unpaid.get(juror.name, "the budget pays for too few calls")
