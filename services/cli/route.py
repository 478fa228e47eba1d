"""`gremium route`: show how a question would be routed, without asking any model."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from gremium.v1.model_status_pb2 import ModelState
from gremium.v1.router_pb2 import RouteDecision, RouteRequest
from gremium.v1.types_pb2 import Lease
from services.cli import state
from services.cli.errors import INTERRUPTED
from services.cli.inputs import must_make_sense, question_text, schema_text
from services.cli.model_states import model_states
from services.cli.options import DOLLARS, SECONDS, config_option, json_option, schema_option
from services.cli.question import Question, request_of
from services.cli.route_telling import candidate_table, story
from services.cli.show import print_json, screen
from services.cli.stopping import run_until_stopped
from services.config.choose import choose
from services.config.tree import LoadedConfig
from services.core.deadline import Deadline
from services.gateway.model_health import merged
from services.runtime.local import call_local
from services.runtime.wire import duration_to_wire

METHOD = "/gremium.v1.RouterService/Route"
LIMIT_S = 30.0
"""Longest wait for the router, the start of its embedder included."""


@click.command()
@click.argument("text", metavar="QUESTION")
@click.option("--ensemble", default="", help="Ensemble to route within; unset: the default one.")
@click.option("--system", default="", help="System instruction put before the question.")
@click.option("--label", "labels", multiple=True, help="A label to choose from; give two or more.")
@schema_option
@click.option("--number", is_flag=True, help="The answer is one number.")
@click.option("--max-cost-usd", type=DOLLARS, help="Most that it may cost.")
@click.option(
    "--juror-time",
    "juror_time_s",
    type=SECONDS,
    help="Seconds that jurors have; unset: as long as they take.",
)
@config_option
@json_option("Print the decision as JSON.")
def route(
    *,
    text: str,
    schema: Path | None,
    juror_time_s: float | None,
    config: Path | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Show which models QUESTION would go to, and why; `-` reads it from standard input.

    Asks no model and needs no key and no mesh. How models fare at present is
    asked of the mesh that runs in this folder, if one does.
    """
    question = Question(
        text=question_text(text),
        schema_json=schema_text(schema),
        **options,
    )
    must_make_sense(question)
    loaded = choose(config, directory=Path.cwd(), env=os.environ).loaded
    request = _request(question, loaded, juror_time_s)
    found = run_until_stopped(_route(loaded, request))
    if found is None:
        return INTERRUPTED
    _print(found, as_json=as_json)
    return 0


def _request(question: Question, loaded: LoadedConfig, juror_time_s: float | None) -> RouteRequest:
    return RouteRequest(
        ensemble=question.ensemble or loaded.config.default,
        prompt=request_of(question).prompt,
        lease=Lease(cost_usd=question.max_cost_usd),
        juror_time=None if juror_time_s is None else duration_to_wire(juror_time_s),
    )


async def _route(loaded: LoadedConfig, request: RouteRequest) -> RouteDecision:
    import router_svc.compose  # noqa: PLC0415 - slow to import, of use to this command alone

    request.models.extend(await _states())
    async with router_svc.compose.composed(loaded, engines={}) as router:
        deadline = Deadline.after(LIMIT_S)
        response = await call_local(router.Route, request, deadline=deadline, method=METHOD)
    return response.decision


async def _states() -> Sequence[ModelState]:
    """How the models fare in the mesh of this folder; nothing is known where none runs."""
    running = state.read(Path.cwd())
    return merged((await model_states(running.gateway)).response.replicas) if running else ()


def _print(decision: RouteDecision, *, as_json: bool) -> None:
    if as_json:
        print_json(decision)
        return
    for line in story(decision):
        click.echo(line)
    screen().print(candidate_table(decision))
