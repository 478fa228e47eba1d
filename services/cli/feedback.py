"""`gremium feedback`: say what became of an answer."""

from pathlib import Path

import click

from gremium.v1 import manifest_pb2
from gremium.v1.ensemble_pb2 import SubmitFeedbackRequest
from services.cli.client import connected
from services.cli.errors import INTERRUPTED
from services.cli.options import Amount, address_option, json_option, timeout_option
from services.cli.show import print_json
from services.cli.stopping import run_until_stopped
from services.core.deadline import Deadline
from services.runtime.calls import call

Feedback = manifest_pb2.Feedback


@click.command()
@click.argument("request_id", metavar="ID")
@click.option("--correct", is_flag=True, help="The answer is right.")
@click.option("--incorrect", is_flag=True, help="The answer is wrong.")
@click.option(
    "--prefer",
    "preferred",
    default="",
    metavar="JUROR",
    help="This juror's answer is the best; with --incorrect: it is the right one.",
)
@click.option(
    "--tier", default="", help="With --prefer: tier, or step, where several have such a juror."
)
@click.option("--score", type=Amount(0, 1), help="How good the answer was, 0 to 1.")
@click.option("--expected", default="", help="What would have been right.")
@click.option("--comment", default="", help="In words.")
@click.option("--source", default="cli", show_default=True, help="Who says so.")
@timeout_option(10.0)
@address_option
@json_option("Print what was recorded as JSON.")
def feedback(
    *,
    request_id: str,
    correct: bool,
    incorrect: bool,
    preferred: str,
    tier: str,
    score: float | None,
    expected: str,
    comment: str,
    source: str,
    timeout_s: float,
    address: str | None,
    as_json: bool,
) -> int:
    """Say what became of the answer to the request ID.

    It counts for `gremium report`, and `gremium calibrate --ledger` and
    `gremium router train --from-ledger` learn from it. Of several on one
    request the newest counts.
    """
    said = Feedback(
        kind=_kind(correct=correct, incorrect=incorrect, preferred=preferred, score=score),
        score=score or 0.0,
        comment=comment,
        expected=expected,
        source=source,
        preferred_juror=preferred,
        preferred_tier=tier,
    )
    request = SubmitFeedbackRequest(request_id=request_id, feedback=said)
    recorded = run_until_stopped(_submit(request, address, timeout_s))
    if recorded is None:
        return INTERRUPTED
    if as_json:
        print_json(recorded)
    else:
        click.echo(f"recorded for {request_id}: {told(recorded)}")
    return 0


def _kind(
    *, correct: bool, incorrect: bool, preferred: str, score: float | None
) -> manifest_pb2.FeedbackKind.ValueType:
    """What is said beside a score; a contradiction is refused."""
    if correct and (incorrect or preferred):
        raise click.UsageError("--correct goes with neither --incorrect nor --prefer")
    if score is not None and (correct or incorrect or preferred):
        raise click.UsageError("--score says it alone, without --correct, --incorrect or --prefer")
    if correct:
        return manifest_pb2.FEEDBACK_KIND_CORRECT
    if incorrect:
        return manifest_pb2.FEEDBACK_KIND_INCORRECT
    if preferred:
        return manifest_pb2.FEEDBACK_KIND_PREFERRED
    if score is None:
        raise click.UsageError("needs one of --correct, --incorrect, --prefer and --score")
    return manifest_pb2.FEEDBACK_KIND_UNSPECIFIED


def told(recorded: Feedback) -> str:
    """What was recorded, in words."""
    best = ""
    if recorded.preferred_juror:
        best = f"{recorded.preferred_juror} of {recorded.preferred_tier} has the best answer"
    match recorded.kind:
        case manifest_pb2.FEEDBACK_KIND_CORRECT:
            return "correct"
        case manifest_pb2.FEEDBACK_KIND_INCORRECT:
            return f"incorrect; {best}" if best else "incorrect"
        case manifest_pb2.FEEDBACK_KIND_PREFERRED:
            return best
        case _:
            return f"score {recorded.score:g}"


async def _submit(
    request: SubmitFeedbackRequest, address: str | None, timeout_s: float
) -> Feedback:
    async with connected(address, directory=Path.cwd()) as stub:
        reply = await call(stub.SubmitFeedback, request, deadline=Deadline.after(timeout_s))
    return reply.feedback
