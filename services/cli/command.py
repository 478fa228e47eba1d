"""The `gremium` command: finds what was asked for, runs it, and tells how that ended."""

import sys
from importlib import import_module
from typing import Final, cast

import click

from services.cli.errors import ERROR, INTERRUPTED
from services.cli.failures import FORESEEN, not_utf8, tell
from services.cli.loading import unheard
from services.cli.outputs import finish, prepare

VERSION = "0.1.0"
COMMANDS: Final = {
    "ask": ("ask", "Ask a question, and show who answered."),
    "up": ("up", "Run a mesh until Ctrl-C."),
    "models": ("models", "Show the roster, and how a running mesh fares."),
    "lint": ("lint", "Check a configuration."),
    "manifest": ("manifests", "Show who took part in a request."),
    "manifests": ("manifests", "List the latest requests."),
    "feedback": ("feedback", "Say whether an answer was right."),
    "budget": ("budget", "Show what is left of shared budgets."),
    "route": ("route", "Show which models a question would go to, and why."),
    "plan": ("plan", "Show how a question would be cut into steps."),
    "report": ("report", "Tell where jurors disagree, and what to change."),
    "router": ("router", "Train the router, measure it, put it in use."),
    "calibrate": ("calibrate", "Learn whom to believe, and how far."),
    "ledger": ("ledger", "Prove, export and thin out what was recorded."),
}
"""The file of each, and what it does; the function has the name of the command."""
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


class Commands(click.Group):
    """Imports a command when it is asked for: all of them together take a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, told) for name, (_, told) in COMMANDS.items()])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        with unheard():
            module = import_module(f"services.cli.{COMMANDS[cmd_name][0]}")
        return cast(click.Command, getattr(module, cmd_name))


@click.group(cls=Commands, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="gremium")
def cli() -> None:
    """Every command is a function of its own name."""


def run() -> int:
    """Run the command that was typed; returns its exit code.

    Whatever is foreseen to go wrong is told in a line or two, never by a traceback.
    """
    arguments = sys.argv[1:]
    prepare()
    code = _exit_code(arguments)
    unwritten = finish()
    if unwritten is None or code:
        return code
    return ERROR if isinstance(unwritten, BrokenPipeError) else tell(unwritten, arguments)


def _exit_code(arguments: list[str]) -> int:
    try:
        return int(cli.main(prog_name="gremium", standalone_mode=False) or 0)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except UnicodeEncodeError as err:
        return tell(not_utf8(arguments, err), arguments)
    except FORESEEN as err:
        return tell(err, arguments)
