"""`gremium router train`: learn from labelled outcomes what each model can do."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import click

from services.cli.options import config_option, json_option
from services.cli.progress import Progress
from services.cli.router_rows import Gathered, Source, gathered, need_scipy, source_options
from services.cli.router_shelf import put_in_use
from services.cli.router_telling import measured_report, told_of_measured
from services.cli.stopping import INTERRUPTED, run_until_stopped
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


@click.command(help=FORMAT)
@source_options
@click.option(
    "--hold-out",
    type=click.FloatRange(0.0, 0.9),
    default=0.2,
    show_default=True,
    help="Share of the rows that is measured on instead of learned from; 0: none.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random split.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
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
    parts = split(found.rows, hold_out=hold_out, seed=seed)
    progress.say(f"learning from {len(parts.train)} prompts of {len(found.rows.models)} models")
    began_s = time.monotonic()
    learned = _trained(parts, found)
    fitting_s = time.monotonic() - began_s
    shelf = shelf_of(loaded)
    shelf.put(learned.routing, parts.train.keys)
    if out is not None:
        write(learned.routing, out)
    if use_it:
        put_in_use(loaded, shelf, learned.routing.id)
    _print(learned, parts, found, fitting_s, in_use=use_it, as_json=as_json)
    return 0


def _trained(parts: Split, found: Gathered) -> Trained:
    try:
        created = datetime.now(UTC).isoformat(timespec="seconds")
        return trained(parts, found.embedding, created=created)
    except ValueError as err:
        raise click.ClickException(f"nothing can be learned of these rows: {err}") from err


def _print(
    learned: Trained,
    parts: Split,
    found: Gathered,
    fitting_s: float,
    *,
    in_use: bool,
    as_json: bool,
) -> None:
    few = warnings(learned.routing)
    if as_json:
        told = {
            "id": learned.routing.id,
            "in_use": in_use,
            "data_sha256": learned.routing.data_sha256,
            "models": {
                m.name: {"labels": m.n_labels, "prior": m.prior} for m in learned.routing.models
            },
            "rows": {
                "train": len(parts.train),
                "test": len(parts.test) if parts.test else 0,
                "dropped": parts.dropped,
            },
            "seconds": {"embedding": found.embedding_s, "fitting": fitting_s},
            "embedded": found.n_embedded,
            "measured": measured_report(learned.measured) if learned.measured else None,
            "notes": [*found.notes, *few],
        }
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    for line in _told(learned, parts, found, fitting_s, few):
        click.echo(line)
    after = "in use" if in_use else f"put it in use: gremium router use {learned.routing.id}"
    click.echo(f"router {learned.routing.id}: {after}")


def _told(
    learned: Trained, parts: Split, found: Gathered, fitting_s: float, few: list[str]
) -> list[str]:
    apart = f"embedding {found.n_embedded} texts took {found.embedding_s:.1f} s apart from that"
    lines = [f"learned from {len(parts.train)} prompts in {fitting_s:.1f} s; {apart}"]
    if parts.dropped:
        lines.append(
            f"{parts.dropped} held-out prompts were dropped: the same text is among those learned from"
        )
    if learned.measured is None:
        lines.append("nothing was held out, so that nobody knows what it is worth")
    else:
        lines += told_of_measured(learned.measured)
    return [*lines, *found.notes, *few]
