"""What monitoring is told of the copy in PostgreSQL."""

from collections.abc import Callable
from pathlib import Path

from services.core.errors import LedgerError
from services.ledger.postgres_progress import Progress
from services.ledger.reading import reading
from services.ledger.status import Lag, lag_of
from services.runtime import figures, metrics
from services.runtime.metrics import Read


def watched(path: Path, progress: Progress) -> None:
    """Tell what the copy of the ledger at `path` lacks, whenever that is asked."""
    metrics.watch(figures.MIRROR_LAG, _read(path, progress, lambda lag: lag.records))
    metrics.watch(figures.MIRROR_LAG_AGE, _read(path, progress, lambda lag: lag.oldest_s))
    metrics.watch(figures.MIRROR_FAILING, lambda: [(float(bool(progress.mark.error)), {})])


def _read(path: Path, progress: Progress, of: Callable[[Lag], float]) -> Read:
    def read() -> list[metrics.Reading]:
        try:
            with reading(path) as connection:
                return [(of(lag_of(connection, progress.mark.seq)), {})]
        except LedgerError:  # the gateway tells by itself that its ledger cannot be read
            return []

    return read
