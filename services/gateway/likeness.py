"""Watches whether the errors of jurors move together, by the feedback that comes in."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from gremium.v1 import ensemble_pb2
from services.core.errors import LedgerError
from services.ledger.reported import Labelled, latest_labelled
from services.report.homogeneity import Together, together
from services.report.rows import request_of

logger = logging.getLogger(__name__)

EVERY_S: Final = 300.0
MOST: Final = 2_000
"""Latest requests with feedback that are looked at."""

Read = Callable[[int], Labelled]


class Likeness:
    """Pairs of jurors that hardly count as two, as far as feedback tells. Each is logged once."""

    def __init__(self) -> None:
        self._pairs: tuple[Together, ...] = ()
        self._seen = 0
        self._named: set[tuple[str, str, str, str]] = set()

    @property
    def pairs(self) -> Sequence[ensemble_pb2.HomogeneousPair]:
        """The latest, by ensemble and tier."""
        return [_to_wire(pair) for pair in self._pairs]

    async def look(self, read: Read) -> None:
        """Look at the latest feedback, if there was any since the last time.

        Raises
        ------
        LedgerError
            If the ledger cannot be read.
        """
        found = await asyncio.to_thread(_found, read, self._seen)
        if found is None:
            return
        self._seen, self._pairs = found
        for pair in self._pairs:
            key = (pair.ensemble, pair.tier, pair.first, pair.second)
            if key not in self._named:
                self._named.add(key)
                logger.warning("jurors of %s: %s", pair.ensemble, pair.text)


@asynccontextmanager
async def likening(path: Path) -> AsyncIterator[Likeness]:
    """Look now and every five minutes until the block ends."""
    likeness = Likeness()
    looking = asyncio.create_task(_look_again(likeness, path))
    try:
        yield likeness
    finally:
        looking.cancel()
        await asyncio.wait([looking])


async def _look_again(likeness: Likeness, path: Path) -> None:
    while True:
        try:
            await likeness.look(lambda seen: latest_labelled(path, after=seen, most=MOST))
        except LedgerError as err:
            logger.info("the likeness of jurors is not known: %s", err)
        await asyncio.sleep(EVERY_S)


def _found(read: Read, seen: int) -> tuple[int, tuple[Together, ...]] | None:
    """Place of the newest feedback and what all of it tells; None: there is no new one."""
    told = read(seen)
    if told.last <= seen:
        return None
    return told.last, tuple(together([request_of(each) for each in told.manifests]))


def _to_wire(pair: Together) -> ensemble_pb2.HomogeneousPair:
    correlation = pair.errors.correlation
    told = ensemble_pb2.HomogeneousPair(
        ensemble=pair.ensemble,
        tier=pair.tier,
        jurors=[pair.first, pair.second],
        requests=correlation.n,
        reason_text=pair.text,
    )
    if correlation.value is not None:
        told.error_correlation = correlation.value
    return told
