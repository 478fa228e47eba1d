"""The `gremium` command."""

import sys

import click

from services.cli.ask import ask
from services.cli.budget import budget
from services.cli.calibrate import calibrate
from services.cli.errors import MeshError
from services.cli.lint import lint
from services.cli.manifests import feedback, manifest, manifests
from services.cli.models import models
from services.cli.plan import plan
from services.cli.route import route
from services.cli.router import router
from services.cli.stopping import INTERRUPTED
from services.cli.up import up
from services.config.load import ConfigError
from services.core.errors import GremiumError

VERSION = "0.1.0"
ERROR = 1
HELP = """\
Answer one question with several language models, and say who took part.

\b
Run a mesh in one terminal, ask it in another:
  gremium up
  gremium ask "What is the capital of France?"

\b
Run a mesh for one question only:
  gremium ask --start "What is the capital of France?"

\b
Choose between labels, for a program to read:
  gremium ask --label yes --label no --json "Is water wet?"

Which models answer is said in ./gremium.yaml. Without that file it is the
providers whose API keys are in the environment (OPENAI_API_KEY,
ANTHROPIC_API_KEY, GEMINI_API_KEY), else an Ollama on this machine, else a
small embedded model, so that it always runs.
"""


@click.group(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="gremium")
def cli() -> None:
    """Every command is in a file of its own name."""


for command in (
    up,
    ask,
    route,
    router,
    plan,
    lint,
    models,
    manifest,
    manifests,
    feedback,
    budget,
    calibrate,
):
    cli.add_command(command)


def main() -> None:
    """Run a command; whatever is foreseen to go wrong is told in a line or two."""
    sys.exit(_exit_code())


def _exit_code() -> int:
    try:
        return int(cli.main(prog_name="gremium", standalone_mode=False) or 0)
    except click.ClickException as err:
        err.show()
        return ERROR  # click's own 2 for wrong usage means no consensus here
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except GremiumError as err:
        return _told(f"{err} [{err.reason}]")
    except (MeshError, ConfigError, OSError) as err:
        return _told(str(err))


def _told(what: str) -> int:
    click.echo(f"error: {what}", err=True)
    return ERROR


if __name__ == "__main__":
    main()
