"""`gremium models`: the roster, whether each model can be asked, and the services of the mesh."""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import click

from services.cli import state
from services.cli.engine_health import is_engine_ready
from services.cli.errors import ERROR, INTERRUPTED
from services.cli.model_states import NOTHING, States, model_states, states_table
from services.cli.models_shelf import add, pull
from services.cli.options import address_option, config_option, json_option
from services.cli.show import plain_table, screen
from services.cli.stages import StageState, stage_states, stage_table, unreached
from services.cli.stopping import run_until_stopped
from services.config.choose import choose
from services.config.tree import LoadedConfig, Model, Price
from services.core.answers import ModelRequest
from services.core.deadline import Deadline
from services.core.errors import BackendError
from services.core.prompts import Message, Params, Prompt
from services.models.asking import ask
from services.models.local import engine_plan
from services.models.roster import Roster, open_roster
from services.models.settings import secret

PING = ModelRequest(
    prompt=Prompt(
        (Message("user", ("Reply with the word OK.",)),), params=Params(max_output_tokens=16)
    )
)


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model of the roster, and whether it can be asked."""

    name: str
    backend: str
    model: str
    family: str
    provider: str
    price: str
    ready: bool
    state: str
    """What is there or missing, for people."""
    check: str = ""
    """What came of asking it; empty when it was not asked."""


@click.group(invoke_without_command=True)
@config_option
@address_option
@click.option(
    "--check", is_flag=True, help="Ask each model that is ready one word; costs a little."
)
@json_option('Print JSON: {"models": [...], "stages": [...]}; no stages where no mesh runs.')
@click.pass_context
def models(
    context: click.Context, config: Path | None, address: str | None, check: bool, as_json: bool
) -> int:
    """Show who serves each model and whether it can be asked, and what runs.

    Of a mesh that runs, each service is shown with its calls, and those that it failed: each one
    degraded a request, or ended it. Exits with 1 when a mesh was started here, or is named by
    --address, and its gateway does not answer.
    """
    if context.invoked_subcommand:
        return 0
    return _roster(config, address, check=check, as_json=as_json)


models.add_command(pull)
models.add_command(add)


def _roster(config: Path | None, address: str | None, *, check: bool, as_json: bool) -> int:
    chosen = choose(config, directory=Path.cwd(), env=os.environ)
    seen = run_until_stopped(_seen(chosen.loaded, address, check=check))
    if seen is None:
        return INTERRUPTED
    states, stages, asked = seen
    if as_json:
        told = {"models": [asdict(s) for s in states], "stages": [asdict(s) for s in stages]}
        told |= asked.as_json()
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        click.echo(chosen.origin)
        _show(states)
        _show_stages(stages)
        if asked.response.replicas or asked.response.missing:
            screen().print(states_table(asked))
    if gateway := unreached(stages):
        lost = f"the gateway at {gateway} does not answer, so nothing is known of calls"
        click.echo(f"error: {lost}", err=True)
        return ERROR
    return 0


async def _seen(
    loaded: LoadedConfig, address: str | None, *, check: bool
) -> tuple[list[ModelState], list[StageState], States]:
    models = await _states(loaded, check=check)
    stages = await stage_states(address, directory=Path.cwd())
    gateway = next((each.address for each in stages if each.name == "gateway"), "")
    return models, stages, await model_states(gateway) if gateway else NOTHING


async def _states(loaded: LoadedConfig, *, check: bool) -> list[ModelState]:
    engines = await _engines(Path.cwd())
    states = [
        _state(name, spec, loaded, engines=engines) for name, spec in loaded.config.models.items()
    ]
    if not check:
        return states
    async with open_roster(loaded, engines=engines) as roster:
        return list(await asyncio.gather(*(_checked(each, roster) for each in states)))


async def _engines(directory: Path) -> dict[str, str]:
    """Base address by local model, of the engines that run for the mesh of this folder."""
    running = state.read(directory)
    addresses = {n: str(e["address"]) for n, e in running.engines.items()} if running else {}
    return {n: f"http://{a}" for n, a in addresses.items() if await is_engine_ready(a)}


def _state(
    name: str, spec: Model, loaded: LoadedConfig, *, engines: Mapping[str, str]
) -> ModelState:
    ready, text = _readiness(spec, loaded, engine=engines.get(name, ""))
    return ModelState(
        name=name,
        backend=spec.backend,
        model=spec.model,
        family=spec.family,
        provider=spec.provider_name,
        price=price_text(spec.price),
        ready=ready,
        state=text,
    )


def _readiness(spec: Model, loaded: LoadedConfig, *, engine: str) -> tuple[bool, str]:
    match spec.backend:
        case "local":
            return _local_readiness(spec, loaded, engine=engine)
        case "recorded":
            there = loaded.resolve(spec.cassette).is_file()
            return there, f"cassette {spec.cassette}" + ("" if there else " is missing")
        case _ if not spec.api_key_env:
            return True, "needs no key"
        case _:
            there = bool(secret(spec.api_key_env))
            return there, f"{spec.api_key_env} is {'set' if there else 'not set'}"


def _local_readiness(spec: Model, loaded: LoadedConfig, *, engine: str) -> tuple[bool, str]:
    try:
        engine_plan(spec, loaded.path.parent)
    except BackendError as err:
        return False, str(err)
    serving = f"engine at {engine}" if engine else "engine not running: `gremium up` starts it"
    return bool(engine), f"weights are there, {serving}"


async def _checked(each: ModelState, roster: Roster) -> ModelState:
    if not each.ready:
        return replace(each, check="not asked")
    model = roster.get(each.name)
    timeout_s = model.spec.timeout_s
    asked = await ask(model, PING, deadline=Deadline.after(timeout_s), timeout_s=timeout_s)
    said = f"{asked.status} in {1000 * asked.duration_s:.0f} ms"
    return replace(each, check=f"{said}: {asked.reason_text}" if asked.reason_text else said)


def price_text(price: Price) -> str:
    """Dollars per million tokens, in and out."""
    if not (price.input_usd_per_mtok or price.output_usd_per_mtok):
        return "no price set"
    return f"{price.input_usd_per_mtok:g} in, {price.output_usd_per_mtok:g} out"


def _show_stages(stages: list[StageState]) -> None:
    if stages:
        screen().print(stage_table(stages))
    else:
        click.echo("no mesh runs here: `gremium up` starts one")


def _show(states: list[ModelState]) -> None:
    checked = any(each.check for each in states)
    heads = ["name", "model", "family", "provider", "USD per Mtok", "state"]
    table = plain_table(*heads, *(["check"] if checked else []))
    for each in states:
        cells = [each.name, each.model, each.family, each.provider, each.price, each.state]
        table.add_row(*cells, *([each.check] if checked else []))
    screen().print(table)
