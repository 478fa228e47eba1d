"""The terms of a ledger, as a configuration has them."""

from services.config.tree import LoadedConfig
from services.ledger.redaction import redactor
from services.ledger.signing import signer_of
from services.ledger.terms import Terms
from services.ledger.texts import Texts


def terms_of(loaded: LoadedConfig) -> Terms:
    """How the configured ledger keeps its records.

    Raises
    ------
    LedgerError
        If its key cannot be read.
    """
    ledger = loaded.config.ledger
    return Terms(
        mode=ledger.mode,
        texts=Texts(ledger.texts, redactor(ledger.redact, ledger.redact_patterns)),
        signer=signer_of(loaded.resolve(ledger.key)) if ledger.key else None,
        replay_for_s=ledger.replay_for_s,
        most_queued=ledger.max_queued,
    )
