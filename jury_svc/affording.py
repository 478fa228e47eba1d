"""Whom a lease can pay, and how much each may write for it. No clock, no I/O."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace

from jury_svc.case import Case, Juror
from jury_svc.quorum import affordable
from services.core.answers import ModelRequest
from services.core.lease import MIN_OUTPUT_TOKENS, Call, output_limits
from services.core.prompts import Prompt
from services.core.tokens import prompt_tokens, text_tokens


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
    able = [(j, _call(j, case)) for j in case.jurors if j.name not in unpaid]
    while True:
        count = affordable(len(able), model_calls=case.lease.model_calls, quorum=case.quorum)
        limits = output_limits([call for _, call in able[:count]], case.lease)
        short = [i for i, most in enumerate(limits) if not able[i][1].is_worth(most)]
        if not short:
            break
        juror, _ = able.pop(short[-1])
        unpaid[juror.name] = f"its share of the budget pays for no {MIN_OUTPUT_TOKENS} tokens"
    asked = [
        (juror, ModelRequest(_limited(case.prompt, most, call), juror.instruction))
        for (juror, call), most in zip(able[:count], limits, strict=True)
    ]
    return Plan(tuple(asked), tuple(_unasked(case, unpaid, {juror.name for juror, _ in asked})))


def _exhausted(juror: Juror, case: Case) -> str:
    limit = case.lease.exhausted(free=juror.free)
    return f"the budget left too little {limit} to ask it" if limit else ""


def _call(juror: Juror, case: Case) -> Call:
    spec = juror.model.spec
    return Call(
        input_tokens=text_tokens(juror.instruction) + prompt_tokens(case.prompt),
        output_tokens=case.prompt.params.max_output_tokens or spec.max_output_tokens,
        input_usd_per_mtok=spec.price.input_usd_per_mtok,
        output_usd_per_mtok=spec.price.output_usd_per_mtok,
    )


def _limited(prompt: Prompt, most: int, call: Call) -> Prompt:
    """The prompt, with a limit only where the budget sets one."""
    if most >= call.output_tokens:
        return prompt
    return replace(prompt, params=replace(prompt.params, max_output_tokens=most))


def _unasked(
    case: Case, unpaid: Mapping[str, str], asked: Container[str]
) -> Iterator[tuple[Juror, str]]:
    for juror in case.jurors:
        if juror.name not in asked:
            yield juror, unpaid.get(juror.name, "the budget pays for too few calls")
