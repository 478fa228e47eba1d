"""Shows an answer while it is being found: a live table, plain lines, or JSON lines."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click
from google.protobuf.message import Message
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table

from gremium.v1.ensemble_pb2 import AskRequest, AskResponse, AskStreamRequest, AskStreamResponse
from gremium.v1.ensemble_pb2_grpc import EnsembleServiceStub
from gremium.v1.manifest_pb2 import ErrorRecord
from services.cli.ask_events import Board, Lines
from services.cli.show import as_dict, plain_table
from services.core.deadline import Deadline
from services.core.errors import GremiumError, InternalError
from services.runtime.calls import follow
from services.runtime.status import ERROR_BY_REASON

Show = Callable[[AskStreamResponse], None]


async def followed(
    stub: EnsembleServiceStub, request: AskRequest, show: Show, *, deadline: Deadline
) -> AskResponse:
    """Ask, `show` each step, and return the reply.

    Raises
    ------
    GremiumError
        What the request failed with, before it began or after.
    """
    last = AskStreamResponse()

    def tell(event: AskStreamResponse) -> None:
        if event.HasField("final") or event.HasField("error"):
            last.CopyFrom(event)
        else:
            show(event)

    await follow(stub.AskStream, AskStreamRequest(ask=request), deadline=deadline, tell=tell)
    if last.HasField("error"):
        raise _failure(last.error)
    if not last.HasField("final"):
        raise InternalError("the stream ended without a reply")
    return last.final


def _failure(record: ErrorRecord) -> GremiumError:
    error = ERROR_BY_REASON.get(record.reason, InternalError)(record.message)
    error.metadata = dict(record.metadata)
    return error


@contextmanager
def showing(*, as_json: bool) -> Iterator[Show]:
    """Show events until the block ends; on standard error, but for JSON."""
    if as_json:
        yield print_event
        return
    console = Console(stderr=True, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        yield _line_printer()
        return
    with _table(console) as show:
        yield show


def print_event(event: Message) -> None:
    """Print a message as one line of JSON, at once."""
    click.echo(json.dumps(as_dict(event), ensure_ascii=False))


def _line_printer() -> Show:
    lines = Lines()

    def show(event: AskStreamResponse) -> None:
        for line in lines.take(event):
            click.echo(line, err=True)

    return show


@contextmanager
def _table(console: Console) -> Iterator[Show]:
    """A table that changes as the jurors write, and goes when all is known."""
    board, live = Board(), Live(console=console, transient=True, refresh_per_second=10)

    def show(event: AskStreamResponse) -> None:
        board.take(event)
        live.start()  # not before: a mesh that is being started shows its own progress
        live.update(drawn(board))

    try:
        yield show
    finally:
        live.stop()


def drawn(board: Board) -> Group:
    table: Table = plain_table("juror", "model", "state", "says")
    for row in board.rows:
        table.add_row(row.label, row.model, row.state, row.tail)
    return Group(*board.lines[:1], table, *board.lines[1:])
