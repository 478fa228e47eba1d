"""Refuses calls beyond what a service can work on at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.core.errors import OverloadedError


@dataclass
class Admission:
    """Slots of one service. Without a limit, overload costs nearly all goodput."""

    slots: int
    taken: int = 0

    @contextmanager
    def slot(self) -> Iterator[None]:
        """Hold a slot for the block.

        Raises
        ------
        OverloadedError
            If none is free.
        """
        if self.taken >= self.slots:
            raise OverloadedError(
                f"{self.taken} calls are being served; at most {self.slots} are allowed",
                limit=self.slots,
            )
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
