"""Kitchen sinks on recorded pools: gap, knee, leave-one-out, effective votes, common mistakes."""

import itertools
import pathlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from bench.canonical import grades, tools
from bench.decisions import Row, SkippedError, apart
from bench.decisions.pools import MINI, SILENT, Pool, answered, hard, with_a_tool
from bench.forms import Line
from bench.recordings import located, rows_of
from services.core.canonical import ballot
from services.core.prompts import OutputFormat
from services.report.agreement import NONE
from services.report.figures import Bools, Floats, Ints, difference
from services.report.likeness import effective_votes, mean_correlation, pair_errors
from services.report.recount import Recount, accuracies, knee, right_of

CHEAP = (
    MINI,
    "gemini-1.5-flash-preview-0514",
    "claude-3-haiku-20240307",
    "open-mixtral-8x22b",
    "mistral-small-2402",
    "gpt-3.5-turbo-0125",
    "open-mistral-nemo-2407",
    "open-mixtral-8x7b",
    "databricks-dbrx-instruct",
)
"""Cheap models by official accuracy; others than those that the published figures are of, which
the recording lacks in part."""
BIG = (
    "claude-3-5-sonnet-20240620",
    "gpt-4-turbo-2024-04-09",
    "mistral-large-2407-FC-Any",
    "claude-3-opus-20240229",
    "gpt-4o-2024-08-06-FC",
)
CURVE = (0.900, 0.900, 0.939, 0.939, 0.947)
"""Published accuracy of the best one to five cheap models."""
OFF, TASKS, SPREAD = 0.015, 1_000, 0.25
"""How far off the curve may be, over so many tasks; over fewer two standard errors more."""
SMALL_VOTES, BIG_VOTES = 2.3, 1.8
SAME_MISTAKE = (0.05, 0.26)
"""Published range of P(same wrong answer | both wrong) on GSM8K."""
JURIES, SIZE = 250, 5
FEWEST_JURORS = 8
UNHEARD = {"ans": None, "correct": False}
GAP_RANKS = -0.80
"""Spearman's correlation of gap and gain that is reached at least; published: -0.86 to -0.95."""
WIDE, NARROW = 0.20, 0.10
MOST_PROMPTS = 3_000
"""Of a pool, that juries are drawn on."""
SEED = 0


def rows(data: pathlib.Path) -> Iterator[Row]:
    """Tool calls first, then common mistakes, then random juries of each hard pool."""
    calls = located(data, "jury/bfcl_25models")
    yield from apart(
        [
            partial(_cheap, calls),
            partial(_big, calls),
            partial(_mistakes, located(data, "jury/gsm8k_8models")),
            *(partial(_juries, read) for read in hard(data)),
        ]
    )


def _cheap(path: pathlib.Path) -> Iterator[Row]:
    recorded = _whole(path, CHEAP)
    codes, right = read_calls(recorded, CHEAP), grades(recorded, CHEAP, "valid")
    curve = accuracies(Recount(codes, right.mean(axis=0)), right, range(len(CHEAP)))
    shown = " ".join(f"{each:.3f}" for each in curve)
    off = float(np.abs(curve[: len(CURVE)] - CURVE).max())
    most = OFF if len(recorded) >= TASKS else OFF + 2.0 * SPREAD / len(recorded) ** 0.5
    yield Row("BFCL cheap: accuracy of one to five, off by", off, None, most, off <= most, shown)
    size = knee(curve)
    yield Row("BFCL cheap: knee", size, None, 5, 5 <= size <= 7, "published 5 to 7")
    yield _loo(codes, right)
    yield _votes("five cheap", right[:, :5], SMALL_VOTES)


def _whole(path: pathlib.Path, models: Sequence[str]) -> list[Line]:
    """Tasks with an answer of each model: what is published is of such."""
    every = with_a_tool(path, models)
    recorded = [row for row in every if all(row["answers"][m] is not SILENT for m in models)]
    if 2 * len(recorded) < len(every):
        told = f"{len(recorded)} of {len(every)} tasks of {path.name}"
        raise SkippedError(f"{told} have answers of {', '.join(models)}")
    return recorded


def _big(path: pathlib.Path) -> Iterator[Row]:
    yield _votes("five big", grades(_whole(path, BIG), BIG, "ok"), BIG_VOTES)


def read_calls(recorded: Sequence[Row], models: Sequence[str]) -> Ints:
    """Class of each model's tool call, one number for a class over all tasks; -1: none."""
    numbers = {"": NONE}
    found = [
        [
            numbers.setdefault(
                ballot(text, (), output_format=OutputFormat(), tools=offered).key, len(numbers) - 1
            )
            for text in (row["answers"][model]["raw"] or "" for model in models)
        ]
        for row, offered in ((row, tools(row)) for row in recorded)
    ]
    return np.array(found, dtype=np.intp)


def _loo(codes: Ints, right: Bools) -> Row:
    count, everyone = Recount(codes, right.mean(axis=0)), range(len(CHEAP))
    whole = right_of(count.winners(everyone), right)
    adds = [
        difference(whole, right_of(count.winners([k for k in everyone if k != j]), right))
        for j in everyone
    ]
    needed = [name for name, each in zip(CHEAP, adds, strict=True) if (each.low or 0.0) > 0.0]
    many = len(CHEAP) - len(needed)
    told = f"of nine, beside {', '.join(needed)}; published: eight"
    return Row("BFCL nine cheap: individually dispensable", many, None, 7, many >= 7, told)


def _votes(name: str, right: Bools, published: float) -> Row:
    correlation = mean_correlation(right)
    votes = effective_votes(correlation, right.shape[1])
    if votes.value is None or correlation.value is None:
        raise SkippedError(f"BFCL {name}: {len(right)} tasks are too few for effective votes")
    low, high = votes.low or 0.0, votes.high or 0.0
    return Row(
        f"BFCL {name}: effective votes",
        votes.value,
        None,
        published,
        low - 0.1 <= published <= high + 0.1,
        f"{low:.2f} to {high:.2f}, errors correlate {correlation.value:.2f}; other models",
    )


def _mistakes(path: pathlib.Path) -> Iterator[Row]:
    """Of models that answer in words; the finetuned ones share their training."""
    recorded = rows_of(path, "worked problems")
    models = answered(recorded, (), path)
    said = [[row["answers"].get(model) or UNHEARD for model in models] for row in recorded]
    right = np.array([[bool(each["correct"]) for each in row] for row in said])
    codes = _coded([[str(each["ans"]).strip() for each in row] for row in said])
    shares = [
        pair_errors(
            (right[:, i], right[:, j]), (codes[:, i], codes[:, j]), classes=10**9
        ).same_mistake.value
        for i, j in itertools.combinations(range(len(models)), 2)
    ]
    known = sorted(each for each in shares if each is not None)
    if not known:
        raise SkippedError(f"{path.name} holds no two models that were both wrong")
    median = float(np.median(known))
    yield Row(
        "GSM8K: same mistake where both are wrong, median pair",
        median,
        None,
        SAME_MISTAKE[1],
        SAME_MISTAKE[0] <= median <= SAME_MISTAKE[1],
        f"{known[0]:.2f} to {known[-1]:.2f}; published {SAME_MISTAKE[0]} to {SAME_MISTAKE[1]}",
    )


def _coded(texts: Sequence[Sequence[str]]) -> Ints:
    numbers = {"": NONE, "None": NONE}
    return np.array([[numbers.setdefault(t, len(numbers)) for t in row] for row in texts])


def _juries(read: Callable[[], Pool]) -> Iterator[Row]:
    """What tells whether a vote beats its best member: the gap, not how diverse they are."""
    pool = read()
    if len(pool.votes.jurors) < FEWEST_JURORS:
        told = f"{pool.name} has {len(pool.votes.jurors)} jurors"
        raise SkippedError(f"{told}; {FEWEST_JURORS} are needed to draw juries of {SIZE}")
    gaps, gains, votes = drawn(pool)
    ranks, others = spearman(gaps, gains), spearman(votes, gains)
    yield Row(
        f"{pool.name}: rank correlation of gap and gain",
        ranks,
        others,
        GAP_RANKS,
        ranks <= GAP_RANKS,
        f"{JURIES} juries of {SIZE}; baseline: of effective votes, which has the wrong sign",
    )
    wide, narrow = gains[gaps > WIDE] > 0.0, gains[gaps < NARROW] > 0.0
    if not wide.size or not narrow.size:
        raise SkippedError(f"{pool.name}: no jury is drawn with a gap as wide, or as narrow")
    yield Row(
        f"{pool.name}: juries that win with a gap above 20 points",
        100.0 * float(wide.mean()),
        100.0 * float(narrow.mean()),
        16.0,
        bool(wide.mean() <= 0.16),
        f"{wide.size} juries; baseline: with one below 10 points, {narrow.size} juries",
    )


def drawn(pool: Pool, *, juries: int = JURIES) -> tuple[Floats, Floats, Floats]:
    """Gap, gain over the best member, and effective votes of random juries."""
    rng = np.random.default_rng(SEED)
    n = len(pool.votes.keys)
    kept = rng.permutation(n)[:MOST_PROMPTS]
    right = pool.votes.right[kept]
    codes = _coded([[pool.votes.keys[i][j] or "" for j in range(right.shape[1])] for i in kept])
    count = Recount(codes, right.mean(axis=0))
    found = []
    for _ in range(juries):
        jury = rng.choice(right.shape[1], SIZE, replace=False)
        own = right[:, jury].mean(axis=0)
        gain = right_of(count.winners(list(jury)), right).mean() - own.max()
        rho = np.corrcoef(~right[:, jury].T)[np.triu_indices(SIZE, 1)].mean()
        found.append((own.max() - own.mean(), gain, SIZE / (1 + (SIZE - 1) * max(rho, 0.0))))
    gaps, gains, votes = np.array(found).T
    return gaps, gains, votes


def spearman(first: Floats, second: Floats) -> float:
    """Correlation of ranks."""
    ranks = [np.argsort(np.argsort(each)) for each in (first, second)]
    return float(np.corrcoef(*ranks)[0, 1])
