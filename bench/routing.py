"""Learned routing on recorded outcomes beside what it has to reach.

    python bench/routing.py --data ../data [--only mmlu …] [--seeds 10] [--json] [--out bench/out]

Routers are trained and asked by the code that serves. Every transform is fitted
on training rows only, and test rows whose text is among them are dropped.
Embeddings are kept under bench/out; the first run computes them, which takes
minutes. Recordings are told by their form; what is published of one is held against
that very one alone. A part whose files are missing is skipped and says so. The exit
code is 0 where there are figures and all of them reach what they have to, and 1
otherwise, or where a file could not be read.
"""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "protos")]

from bench import parts, routing  # noqa: E402 - the script puts its own project on the path


def main() -> None:
    given = parts.parser(__doc__, routing)
    given.add_argument("--seeds", type=int, default=10, help="random splits of each set")
    options = parts.parsed(given)
    seeds = range(options.seeds)
    found = parts.measured(
        routing, options, lambda part: part.rows(options.data, seeds), tell=parts.on_stderr
    )
    parts.tell(found, options, name="routing")
    sys.exit(found.code)


if __name__ == "__main__":
    main()
