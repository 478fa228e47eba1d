"""`gremium up`: keep a mesh running."""

import os
from pathlib import Path

import click

from services.cli import pages, state, targets
from services.cli.mesh import Mesh, Options, mesh_running
from services.cli.options import config_option, json_option
from services.cli.ports import reachable
from services.cli.progress import Progress
from services.cli.stopping import run_until_stopped
from services.cli.words import counted
from services.config.choose import choose
from services.config.lint import lint
from services.config.tree import LoadedConfig
from services.routing.configured import is_learned


@click.command()
@config_option
@click.option("--bind", default=state.DEFAULT_BIND, show_default=True, help="Address for clients.")
@click.option("--one-process", is_flag=True, help="Run all five services in this process.")
@click.option(
    "--metrics/--no-metrics",
    default=True,
    show_default=True,
    help="Let Prometheus read each service's figures, on a port of its own on this machine.",
)
@click.option(
    "--console",
    metavar="ADDRESS",
    help="Address of the web page, host:port; `none`: no page."
    f"  [default: {pages.USUAL}, or any free port where that is in use]",
)
@json_option("Print one line of JSON to stdout once the mesh serves.")
def up(
    *,
    config: Path | None,
    bind: str,
    one_process: bool,
    metrics: bool,
    console: str | None,
    as_json: bool,
) -> int:
    """Run the mesh until Ctrl-C.

    Starts the engines of local models, the four stages and the gateway, each
    as a process of its own, and waits until all of them are SERVING. A process
    that dies is started again. Logs are in .gremium/logs; .gremium/prometheus.json
    tells a Prometheus where the figures are (file_sd_configs).

    Ctrl-C lets requests in flight finish; a second one stops at once.
    """
    state.refuse_second(Path.cwd())
    progress = Progress()
    chosen = choose(config, directory=Path.cwd(), env=os.environ)
    progress.say(chosen.origin)
    if chosen.is_own:
        progress.say(_warned(chosen.loaded))
    env = {**os.environ, pages.VARIABLE: pages.address(console, os.environ)}
    options = Options(bind, one_process, Path.cwd(), env, metrics)
    run_until_stopped(_up(chosen.loaded, options, progress, as_json=as_json))
    return 0


async def _up(loaded: LoadedConfig, options: Options, progress: Progress, *, as_json: bool) -> None:
    async with mesh_running(loaded, options, progress) as mesh:
        _announce(mesh, progress, as_json=as_json)
        try:
            await mesh.keep_running()
        finally:
            progress.say("stopping: requests in flight finish first; Ctrl-C again stops at once")


def _announce(mesh: Mesh, progress: Progress, *, as_json: bool) -> None:
    if as_json:
        click.echo(mesh.running.to_json())
    if figures := mesh.metrics["gateway"]:
        progress.say(
            f"figures at http://{reachable(figures)}/metrics; "
            f"{state.FOLDER}/{targets.FILE} tells Prometheus of all services"
        )
    if console := pages.told(mesh.console):
        progress.say(console)
    progress.say(f'ready at {mesh.gateway}; ask it: gremium ask "…"; Ctrl-C stops it')


def _warned(loaded: LoadedConfig) -> str:
    count = len(lint(loaded.config, learned=is_learned(loaded)))
    told = "them" if count > 1 else "it"
    say = f"{counted(count, 'warning')}: `gremium lint {loaded.path}` tells {told}"
    return say if count else "no warnings"
