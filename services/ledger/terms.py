"""On what terms a ledger keeps its records."""

from dataclasses import dataclass
from typing import Final, Literal

from gremium.v1.ledger_pb2 import (
    LEDGER_MODE_OFF,
    LEDGER_MODE_RELAXED,
    LEDGER_MODE_STRICT,
    LedgerMode,
)
from services.ledger.signing import Signer
from services.ledger.texts import Texts

Mode = Literal["strict", "relaxed", "off"]

MODES: Final[dict[str, LedgerMode.ValueType]] = {
    "strict": LEDGER_MODE_STRICT,
    "relaxed": LEDGER_MODE_RELAXED,
    "off": LEDGER_MODE_OFF,
}
DAY_S: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class Terms:
    """As configured."""

    mode: Mode = "strict"
    """Whether a request waits for its records, queues them, or leaves none."""
    texts: Texts = Texts()  # noqa: RUF009 - it is frozen
    signer: Signer | None = None
    replay_for_s: float = DAY_S
    """How long a reply can be told again; 0: not at all."""
    most_queued: int = 1_000
    """Requests whose records may wait to be written, in relaxed mode; more of them wait, too."""
