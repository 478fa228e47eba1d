"""Ask judge models, one after the other, until one gives a readable verdict."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from judge_svc import verdict as verdicts
from judge_svc.checks import Check
from judge_svc.rubric import Criterion, judge_prompt, read_verdict
from judge_svc.verdict import Verdict
from services.core.answers import Answer, ModelRequest, Status, families, is_independent
from services.core.deadline import Deadline
from services.core.lease import Lease
from services.core.material import images
from services.core.prompts import Prompt
from services.core.unreadable import UnreadableError
from services.models.asked import Asked, unspent
from services.models.asking import ask
from services.models.backend import RosterModel
from services.models.pricing import dearest, limited, spare
from services.runtime.aside import aside


@dataclass(frozen=True, slots=True)
class Case:
    """What is audited, and by which measure."""

    prompt: Prompt
    answer: Answer
    criteria: tuple[Criterion, ...]
    min_score: float
    timeout_s: float
    """Longest time to wait for one judge."""
    recused: tuple[str, ...] = ()
    """Judges that are in the jury."""


@dataclass(frozen=True, slots=True)
class Audit:
    """How an audit ended, and what it took."""

    verdict: Verdict
    asked: tuple[tuple[RosterModel, Asked], ...]
    unspent: Lease


async def audited(
    case: Case,
    checks: Sequence[Check],
    judges: Sequence[RosterModel],
    *,
    lease: Lease,
    deadline: Deadline,
) -> Audit:
    """Let the first judge that gives a readable verdict decide.

    A judge that fails, is late or writes no verdict is replaced by the next one
    while time and lease last. Without a verdict the answer stays unjudged. A
    judge that cannot see the prompt's images is not asked.
    """
    if not judges:
        return Audit(no_judge(checks, case), (), lease)
    able = seeing(judges, case.prompt)
    if not able:
        return Audit(blind(checks), (), lease)
    return await _first_verdict(case, checks, able, lease=lease, deadline=deadline)


async def _first_verdict(
    case: Case,
    checks: Sequence[Check],
    judges: Sequence[RosterModel],
    *,
    lease: Lease,
    deadline: Deadline,
) -> Audit:
    asked: list[tuple[RosterModel, Asked]] = []
    found = no_judge(checks, case)
    request = ModelRequest(judge_prompt(case.prompt, case.answer, checks, case.criteria))
    for judge in judges:
        if (stopped := cannot_ask(judge, checks, request, lease, deadline)) is not None:
            found = found if asked else stopped
            continue
        call = dearest(request, judge.spec)
        payable = limited(request, call.output_within(lease), call)
        purse = spare(lease, (payable, judge.spec))
        reply = await ask(judge, payable, deadline=deadline, timeout_s=case.timeout_s, purse=purse)
        size = len(reply.reply.text) if reply.reply else 0
        reply, found = await aside(size, decided, case, checks, judge, reply)
        asked.append((judge, reply))
        lease = unspent(lease, [reply])
        if found.kind != "unjudged":
            break
    return Audit(found, tuple(asked), lease)


def independent(judges: Sequence[RosterModel], family: str) -> list[RosterModel]:
    """Judges of another family than the answer's; none when that is not known."""
    return [judge for judge in judges if is_independent(judge.spec.family, family)]


def outside(judges: Sequence[RosterModel], answers: Sequence[Answer]) -> list[RosterModel]:
    """Judges that gave none of the answers: nobody judges what it took part in.

    An author is known here by its family and by the name that its provider
    serves it under. Who calls knows the jury's names in the roster, and names
    nobody of it.
    """
    return [judge for judge in judges if not any(_wrote(judge, each) for each in answers)]


def _wrote(judge: RosterModel, answer: Answer) -> bool:
    same_family = judge.spec.family.strip().casefold() in families(answer.family)
    return same_family and judge.spec.model == answer.model


def seeing(judges: Sequence[RosterModel], prompt: Prompt) -> list[RosterModel]:
    """Judges that can take the images of a prompt; all when it has none."""
    return [judge for judge in judges if judge.spec.images or not images(prompt)]


def decided(
    case: Case, checks: Sequence[Check], judge: RosterModel, asked: Asked
) -> tuple[Asked, Verdict]:
    """Read what a judge replied; a reply that is no verdict makes it an unusable participant."""
    if asked.status is not Status.ANSWERED or asked.reply is None:
        text = f"{judge.name} gave no verdict: {asked.reason_text or asked.reason}"
        reason = asked.reason or asked.status.name
        return asked, verdicts.unjudged(checks, reason=reason, reason_text=text, judge=judge.name)
    try:
        opinion = read_verdict(asked.reply.text, case.answer, case.criteria)
    except UnreadableError as err:
        unusable = replace(asked, status=Status.UNUSABLE, reason=err.reason, reason_text=str(err))
        text = f"{judge.name} gave no verdict: {err}"
        return unusable, verdicts.unjudged(
            checks, reason=err.reason, reason_text=text, judge=judge.name
        )
    return asked, verdicts.judged(checks, opinion, judge=judge.name, min_score=case.min_score)


def no_judge(checks: Sequence[Check], case: Case) -> Verdict:
    family = case.answer.family or "unknown"
    other = "other judge" if case.recused else "judge"
    text = f"there is no {other} of another family than the answer's ({family})"
    if case.recused:
        text = f"in the jury, and so recused: {', '.join(case.recused)}; {text}"
    return verdicts.unjudged(checks, reason="NO_INDEPENDENT_JUDGE", reason_text=text)


def blind(checks: Sequence[Check]) -> Verdict:
    return verdicts.unjudged(
        checks,
        reason="JUDGE_CANNOT_SEE",
        reason_text="the prompt has images, and no independent judge takes any",
    )


def cannot_ask(
    judge: RosterModel,
    checks: Sequence[Check],
    request: ModelRequest,
    lease: Lease,
    deadline: Deadline,
) -> Verdict | None:
    """Why a judge cannot be asked any more, as a verdict; None when it can."""
    if limit := lease.exhausted(free=judge.spec.price.free):
        text = f"nothing is left to judge with: {limit}"
        return verdicts.unjudged(checks, reason="BUDGET_SPENT", reason_text=text)
    call = dearest(request, judge.spec)
    if not call.is_worth(call.output_within(lease)):
        text = f"what is left pays for no verdict of {judge.name}"
        return verdicts.unjudged(checks, reason="BUDGET_SPENT", reason_text=text)
    if deadline.left_s == 0.0:
        text = "no time is left to ask a judge"
        return verdicts.unjudged(checks, reason="DEADLINE_SPENT", reason_text=text)
    return None
