"""`gremium plan`: show how a question would be cut into steps, without running them."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click

from gremium.v1.router_pb2 import PlanRequest, PlanResponse
from gremium.v1.types_pb2 import Lease
from services.cli import state
from services.cli.engines import base_addresses, engine_processes
from services.cli.errors import INTERRUPTED
from services.cli.inputs import question_text
from services.cli.options import DOLLARS, config_option, json_option, timeout_option
from services.cli.plan_telling import plan_tree, story
from services.cli.progress import Progress
from services.cli.question import Question, request_of
from services.cli.show import print_json, screen
from services.cli.stopping import run_until_stopped
from services.cli.supervisor import running_children
from services.config.choose import choose
from services.config.graphs import specialists
from services.config.tree import LoadedConfig
from services.core.deadline import Deadline
from services.runtime.local import call_local

METHOD = "/gremium.v1.RouterService/Plan"


@click.command()
@click.argument("text", metavar="QUESTION")
@click.option("--ensemble", default="", help="Ensemble to plan within; unset: the default one.")
@click.option("--system", default="", help="System instruction put before the question.")
@click.option("--max-cost-usd", type=DOLLARS, help="Most that it may cost.")
@click.option("--ask-planner", is_flag=True, help="Ask the planner model, too; it may cost money.")
@timeout_option(30.0)
@config_option
@json_option("Print the plan as JSON.")
def plan(
    *,
    text: str,
    ask_planner: bool,
    timeout_s: float,
    config: Path | None,
    as_json: bool,
    **options: Any,
) -> int:
    """Show how QUESTION would be cut into steps, and whether that pays; `-` reads standard input.

    Runs no step. Asks no model and needs no key and no mesh, unless the planner
    is to be asked.
    """
    question = Question(text=question_text(text), **options)
    loaded = choose(config, directory=Path.cwd(), env=os.environ).loaded
    request = _request(question, loaded, ask_planner=ask_planner)
    found = run_until_stopped(_plan(loaded, request, timeout_s))
    if found is None:
        return INTERRUPTED
    _print(found, as_json=as_json)
    return 0


def _request(question: Question, loaded: LoadedConfig, *, ask_planner: bool) -> PlanRequest:
    return PlanRequest(
        ensemble=question.ensemble or loaded.config.default,
        prompt=request_of(question).prompt,
        lease=Lease(cost_usd=question.max_cost_usd),
        without_planner=not ask_planner,
    )


async def _plan(loaded: LoadedConfig, request: PlanRequest, timeout_s: float) -> PlanResponse:
    import router_svc.compose  # noqa: PLC0415 - slow to import, of use to this command alone

    asks = not request.without_planner
    async with (
        _engines(loaded, request.ensemble if asks else "") as engines,
        router_svc.compose.composed(loaded, engines=engines, plans=asks) as router,
    ):
        deadline = Deadline.after(timeout_s)
        return await call_local(router.Plan, request, deadline=deadline, method=METHOD)


@asynccontextmanager
async def _engines(loaded: LoadedConfig, ensemble: str) -> AsyncIterator[Mapping[str, str]]:
    """The engine of the ensemble's planner, if that is a local model."""
    graph = specialists(loaded.config.ensembles).get(ensemble)
    planner = graph.planner.model if graph and graph.planner else ""
    if not planner or loaded.config.models[planner].backend != "local":
        yield {}
        return
    every = engine_processes(loaded, env=os.environ)
    needed = tuple(process for process in every if process.name == planner)
    logs = Path.cwd() / state.FOLDER / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    async with running_children(needed, logs=logs, progress=Progress()):
        yield base_addresses(needed)


def _print(found: PlanResponse, *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    for line in story(found):
        click.echo(line)
    screen().print(plan_tree(found.plan))
