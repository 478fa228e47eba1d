"""Prints replies and manifests, for people and as JSON."""

import json
import sys
from collections.abc import Iterable
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message
from rich import box
from rich.console import Console
from rich.table import Table

from gremium.v1.ensemble_pb2 import AskResponse
from gremium.v1.manifest_pb2 import Manifest, ManifestState, Participation
from services.cli import telling
from services.cli.words import harmless
from services.runtime.wire import duration_from_wire

NARROWEST = 110
FIGURES = {"ms", "tokens", "USD"}
ID_CHARS = 32
"""Of an id that was not chosen by the caller; it stands in one line, so that it can be copied."""


def show_reply(reply: AskResponse) -> None:
    """Print the answer, what the outcome means, and who took part."""
    if reply.HasField("answer"):
        say(f"{reply.answer.text}\n")
    again = " (the recorded reply to an earlier call)" if reply.replayed else ""
    say(f"{telling.outcome_name(reply.outcome)}{again}")
    for line in telling.explanation(reply):
        say(line)
    show_manifest(reply.manifest)


def show_manifest(manifest: Manifest) -> None:
    """Print who took part, and how it ended."""
    screen().print(participations(manifest))
    for line in telling.story(manifest):
        say(line)
    for line in telling.cautions(manifest):
        say(f"warning  {line}")
    if manifest.HasField("error"):
        say(f"error    {manifest.error.reason}: {manifest.error.message}")
    say(f"total    {telling.totals(manifest)}")


def say(text: str) -> None:
    """Print a text that may be a model's; on a terminal it cannot do more than be read."""
    print(harmless(text) if sys.stdout.isatty() else text)


def print_json(message: Message) -> None:
    print(json.dumps(as_dict(message), indent=2, ensure_ascii=False))


def as_dict(message: Message) -> dict[str, Any]:
    """A message as proto3 JSON, fields named as in the proto."""
    return json_format.MessageToDict(message, preserving_proto_field_name=True)


def participations(manifest: Manifest) -> Table:
    """Everyone who took part, one row each; of a graph, named after the step."""
    table = plain_table(
        "stage",
        "name",
        "model",
        "family",
        "outcome",
        "ms",
        "tokens",
        "USD",
        title=f"manifest {manifest.request_id}",
    )
    for each in manifest.participations:
        table.add_row(*_row(each, step=telling.step_of(manifest, each)))
    return table


def manifest_list(found: Iterable[Manifest]) -> Table:
    """Many manifests, one row each."""
    table = plain_table("request", "ensemble", "began", "outcome", "tokens", "USD", "ms")
    for each in found:
        table.add_row(*_summary(each))
    return table


def plain_table(*columns: str, title: str = "") -> Table:
    """An empty table whose figures stand right-aligned; on a narrow terminal nothing is cut off."""
    table = Table(title=title or None, title_justify="left", box=box.SIMPLE, pad_edge=False)
    for column in columns:
        table.add_column(
            column,
            justify="right" if column in FIGURES else "left",
            overflow="fold",
            min_width=ID_CHARS if column == "request" else None,
        )
    return table


def screen() -> Console:
    """Standard output; wide enough for a table where no terminal says how wide it is."""
    width = None if sys.stdout.isatty() else NARROWEST
    return Console(width=width, highlight=False, markup=False)


def _row(each: Participation, *, step: str) -> tuple[str, ...]:
    usage = each.usage
    asked = each.model_calls > 0
    return (
        telling.stage_name(each.stage),
        telling.labelled(step, each.name),
        telling.model_name(each),
        each.family,
        telling.ending(each),
        f"{1000 * duration_from_wire(each.duration):.0f}",
        f"{usage.input_tokens} + {usage.output_tokens}" if asked else "",
        telling.usd(each.cost_usd) if asked else "",
    )


def _summary(manifest: Manifest) -> tuple[str, ...]:
    usage = manifest.usage
    return (
        manifest.request_id,
        manifest.ensemble,
        manifest.start_time.ToDatetime().strftime("%Y-%m-%d %H:%M:%S"),
        _state(manifest),
        str(usage.input_tokens + usage.output_tokens),
        telling.usd(manifest.cost_usd),
        f"{1000 * duration_from_wire(manifest.duration):.0f}",
    )


def _state(manifest: Manifest) -> str:
    """Outcome, or what stands in its way."""
    if manifest.HasField("error"):
        return f"FAILED: {manifest.error.reason}"
    if manifest.outcome:
        return telling.outcome_name(manifest.outcome)
    return ManifestState.Name(manifest.state).removeprefix("MANIFEST_STATE_")
