"""A file becomes as small as what it holds, and not beneath whoever has it open."""

import pytest

from services.core.errors import LedgerError
from services.ledger.compacting import compact
from services.ledger.lock import owning
from services.ledger.verify import Proofs, verify
from tests.unit.ledger.chains import add, opened


@pytest.fixture
def roomy(path):
    """A ledger with two records and the room of hundreds."""
    add(path, *(f"r{n}" for n in range(500)))
    with opened(path) as connection:
        for table in ("records", "manifests"):
            connection.execute(f"DELETE FROM {table} WHERE seq > 2")  # noqa: S608 - constants
    return path


def test_what_is_empty_in_it_goes_and_the_records_stay(roomy):
    before = roomy.stat().st_size

    freed, found = compact(roomy), verify(roomy, Proofs())

    assert 0 < freed == before - roomy.stat().st_size
    assert (2, None) == (found.checked, found.fault)


def test_a_ledger_that_a_gateway_has_open_is_left_alone(roomy):
    before = roomy.read_bytes()

    with owning(roomy), pytest.raises(LedgerError, match="in use by process"):
        compact(roomy)

    assert before == roomy.read_bytes()
