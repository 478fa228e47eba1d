"""`gremium router train`: learn from labelled outcomes what each model can do."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from services.cli.errors import INTERRUPTED
from services.cli.options import OUT_FILE, Amount, config_option, json_option
from services.cli.progress import Progress
from services.cli.router_rows import Gathered, Source, gathered, need_scipy, source_options
from services.cli.router_shelf import put_in_use
from services.cli.router_telling import measured_report, told_of_measured
from services.cli.stopping import run_until_stopped
from services.config.choose import choose
from services.routing.artefact import write
from services.routing.configured import shelf_of
from services.routing.training import Split, Trained, split, trained, warnings

FORMAT = """\
Learn how likely each model answers a prompt adequately, and how long its answer gets.

The file has a JSON object a line:

\b
  {"id": "1", "prompt": "What is 6 x 7?",
   "outcomes": {"small": 1, "large": {"quality": 1, "cost_usd": 0.002,
                                      "output_tokens": 40}}}

\b
  id        of the prompt, unique
  prompt    its text; without it, `vector` and `features` are needed
  vector    its embedding; computed where it is missing
  features  numbers on how it is made; computed where they are missing
  domain    its field of knowledge, where one is known
  outcomes  by model, as the configuration names it: quality in [0, 1], or an
            object; a model that is missing or null was not judged

With --from-ledger rows are recorded requests: a model's answer is as good as the newest feedback
says, else as the judge found. The ledger keeps numbers of each prompt, never its text, and its
embedding only with `router.record: embedding`.

A share of the rows is held out, and what is learned is measured on it; prompts that stand on both
sides are dropped from it. Embeddings are kept, so that a stopped command goes on where it was
(about 13 texts a second with the built-in model). The router goes to the shelf, and is used once
`gremium router use` says so. Models with fewer than 30 labels go by their prior.
"""


@click.command(help=FORMAT, short_help="Learn what each model can do.")
@source_options
@click.option(
    "--hold-out",
    type=Amount(0.0, 0.9),
    default=0.2,
    show_default=True,
    help="Share of the rows that is measured on instead of learned from; 0: none.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random split.")
@click.option(
    "--out",
    type=OUT_FILE,
    help="Write it to this file, too, for `router.artefact`.",
)
@click.option("--use", "use_it", is_flag=True, help="Put it in use at once.")
@config_option
@json_option("Print what was learned as JSON.")
def train(
    *,
    path: Path | None,
    from_ledger: bool,
    ensembles: tuple[str, ...],
    hold_out: float,
    seed: int,
    out: Path | None,
    use_it: bool,
    config: Path | None,
    as_json: bool,
) -> int:
    source, progress = Source(path, from_ledger, ensembles), Progress()
    source.check()
    need_scipy()
    loaded = choose(config, directory=Path.cwd(), env=os.environ).loaded
    found = run_until_stopped(gathered(source, loaded, progress))
    if found is None:
        return INTERRUPTED
    run = _fitted(found, split(found.rows, hold_out=hold_out, seed=seed), progress)
    shelf = shelf_of(loaded)
    shelf.put(run.learned.routing, run.parts.train.keys)
    if out is not None:
        write(run.learned.routing, out)
    if use_it:
        put_in_use(loaded, shelf, run.learned.routing.id)
    if as_json:
        click.echo(json.dumps(_report(run, in_use=use_it), indent=2, ensure_ascii=False))
    else:
        for line in _told(run, in_use=use_it):
            click.echo(line)
    return 0


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What was learned of which rows, and what that took."""

    learned: Trained
    parts: Split
    found: Gathered
    fitting_s: float

    @property
    def notes(self) -> list[str]:
        """What a person should know of it."""
        return [*self.found.notes, *warnings(self.learned.routing)]


def _fitted(found: Gathered, parts: Split, progress: Progress) -> Run:
    progress.say(f"learning from {len(parts.train)} prompts of {len(found.rows.models)} models")
    began_s, created = time.monotonic(), datetime.now(UTC).isoformat(timespec="seconds")
    try:
        learned = trained(parts, found.embedding, created=created)
    except ValueError as err:
        raise click.ClickException(f"nothing can be learned of these rows: {err}") from err
    return Run(learned, parts, found, time.monotonic() - began_s)


def _report(run: Run, *, in_use: bool) -> dict[str, Any]:
    routing, measured = run.learned.routing, run.learned.measured
    return {
        "id": routing.id,
        "in_use": in_use,
        "data_sha256": routing.data_sha256,
        "models": {m.name: {"labels": m.n_labels, "prior": m.prior} for m in routing.models},
        "rows": {
            "train": len(run.parts.train),
            "test": len(run.parts.test) if run.parts.test else 0,
            "dropped": run.parts.dropped,
        },
        "seconds": {"embedding": run.found.embedding_s, "fitting": run.fitting_s},
        "embedded": run.found.n_embedded,
        "measured": measured_report(measured) if measured else None,
        "notes": run.notes,
    }


def _told(run: Run, *, in_use: bool) -> Iterator[str]:
    found, parts, id_ = run.found, run.parts, run.learned.routing.id
    apart = f"embedding {found.n_embedded} texts took {found.embedding_s:.1f} s apart from that"
    yield f"learned from {len(parts.train)} prompts in {run.fitting_s:.1f} s; {apart}"
    if parts.dropped:
        same = "the same text is among those learned from"
        yield f"{parts.dropped} held-out prompts were dropped: {same}"
    if run.learned.measured is None:
        yield "nothing was held out, so that nobody knows what it is worth"
    else:
        yield from told_of_measured(run.learned.measured)
    yield from run.notes
    after = "it is in use" if in_use else f"put it in use: gremium router use {id_}"
    yield f"router {id_}: {after}"
