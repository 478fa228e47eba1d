"""`gremium ask`: ask one question and show who answered."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from gremium.v1.ensemble_pb2 import (
    AskRequest,
    AskResponse,
    AskStreamResponse,
    GetManifestRequest,
)
from gremium.v1.ensemble_pb2_grpc import EnsembleServiceStub
from gremium.v1.manifest_pb2 import (
    OUTCOME_ANSWERED,
    OUTCOME_NO_CONSENSUS,
    OUTCOME_REJECTED,
    Manifest,
)
from services.cli.ask_stream import Show, followed, print_event, showing
from services.cli.client import connected, find_mesh
from services.cli.errors import INTERRUPTED
from services.cli.inputs import must_make_sense, question_text, schema_text
from services.cli.options import (
    DOLLARS,
    address_option,
    config_option,
    json_option,
    schema_option,
    timeout_option,
)
from services.cli.question import Question, request_of
from services.cli.show import as_dict, print_json, show_manifest, show_reply
from services.cli.stopping import run_until_stopped
from services.core.deadline import Deadline
from services.core.errors import GremiumError
from services.runtime.calls import call

EXIT_CODES: Final = {OUTCOME_ANSWERED: 0, OUTCOME_NO_CONSENSUS: 2, OUTCOME_REJECTED: 3}
ERROR: Final = 1
MANIFEST_LIMIT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Where:
    """Which mesh to ask."""

    address: str | None
    start: bool
    """Whether to run one for this question if none does."""
    config: Path | None
    """What a mesh of our own is to be configured by."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that ended in an error."""

    error: GremiumError
    manifest: Manifest | None
    """What was answered and spent, as far as it was recorded."""


@click.command()
@click.argument("text", metavar="QUESTION")
@click.option("--ensemble", default="", help="Ensemble to ask; unset: the default one.")
@click.option("--system", default="", help="System instruction put before the question.")
@click.option("--label", "labels", multiple=True, help="A label to choose from; give two or more.")
@schema_option
@click.option("--number", is_flag=True, help="The answer is one number.")
@click.option("--may-abstain", is_flag=True, help="An answer may say that it does not know.")
@click.option("--max-cost-usd", type=DOLLARS, help="Most that it may cost.")
@click.option("--request-id", default="", help="Give it again to get the recorded answer.")
@click.option("--attest", is_flag=True, help="With --json: the signed record of the reply, too.")
@timeout_option(30.0)
@address_option
@click.option("--start", is_flag=True, help="Run a mesh for this question if none runs.")
@config_option
@click.option("--stream", is_flag=True, help="Show each step and the jurors' words as they come.")
@json_option("Print the reply as JSON; with --stream, each event as a line.")
def ask(
    *,
    text: str,
    schema: Path | None,
    timeout_s: float,
    address: str | None,
    start: bool,
    config: Path | None,
    stream: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Ask QUESTION; `-` reads it from standard input.

    Prints the answer and the manifest: who took part, how long it took and
    what it cost. Exit code: 0 answered, 2 no consensus, 3 rejected, 1 error.
    """
    question = Question(
        text=question_text(text),
        schema_json=schema_text(schema),
        **options,
    )
    _refuse_contradictions(question, config=config, start=start, as_json=as_json)
    request, where = request_of(question), Where(address, start, config)
    if not stream:
        return _print(run_until_stopped(_ask(request, where, timeout_s=timeout_s)), as_json=as_json)
    with showing(as_json=as_json) as show:
        result = run_until_stopped(_ask(request, where, timeout_s=timeout_s, show=show))
    return _print(result, as_json=as_json, as_line=as_json)


def _refuse_contradictions(
    question: Question, *, config: Path | None, start: bool, as_json: bool
) -> None:
    must_make_sense(question)
    if config and not start:
        raise click.UsageError("--config is for the mesh that --start runs")
    if question.attest and not as_json:
        raise click.UsageError("--attest needs --json, which `gremium ledger verify` reads")


async def _ask(
    request: AskRequest, where: Where, *, timeout_s: float, show: Show | None = None
) -> AskResponse | Failure:
    async with _mesh(where) as stub:
        deadline = Deadline.after(timeout_s)
        try:
            if show is None:
                return await call(stub.Ask, request, deadline=deadline)
            return await followed(stub, request, show, deadline=deadline)
        except GremiumError as err:
            return Failure(err, await _manifest(stub, err.metadata.get("request_id", "")))


@asynccontextmanager
async def _mesh(where: Where) -> AsyncIterator[EnsembleServiceStub]:
    """A mesh that runs already, or one that runs while the block lasts."""
    directory = Path.cwd()
    may_start = where.start and where.address is None
    if may_start and (where.config or not await find_mesh(None, directory=directory)):
        from services.cli.own_mesh import own_mesh  # noqa: PLC0415 - slow to import, seldom needed

        async with (
            own_mesh(where.config, directory) as gateway,
            connected(gateway, directory=directory) as stub,
        ):
            yield stub
    else:
        async with connected(where.address, directory=directory) as stub:
            yield stub


async def _manifest(stub: EnsembleServiceStub, request_id: str) -> Manifest | None:
    if not request_id:
        return None
    request = GetManifestRequest(request_id=request_id)
    try:
        reply = await call(stub.GetManifest, request, deadline=Deadline.after(MANIFEST_LIMIT_S))
    except GremiumError:
        return None
    return reply.manifest


def _print(result: AskResponse | Failure | None, *, as_json: bool, as_line: bool = False) -> int:
    match result:
        case None:
            return INTERRUPTED
        case Failure() if as_json:
            _print_failure_json(result, indent=None if as_line else 2)
            return ERROR
        case Failure():
            _print_failure(result)
            return ERROR
        case _ if as_line:
            print_event(AskStreamResponse(final=result))
        case _:
            (print_json if as_json else show_reply)(result)
    return EXIT_CODES.get(result.outcome, ERROR)


def _print_failure(failure: Failure) -> None:
    if failure.manifest:
        show_manifest(failure.manifest)
    click.echo(f"error: {failure.error} [{failure.error.reason}]", err=True)


def _print_failure_json(failure: Failure, *, indent: int | None) -> None:
    error = {"reason": failure.error.reason, "message": str(failure.error)}
    manifest = as_dict(failure.manifest) if failure.manifest else None
    told = {"error": error, "manifest": manifest}
    click.echo(json.dumps(told, indent=indent, ensure_ascii=False))
