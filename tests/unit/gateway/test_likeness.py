"""Jurors whose errors move together are named once in the log, and listed as long as they do."""

import logging

import numpy as np
import pytest

from gremium.v1 import manifest_pb2
from services.core.errors import LedgerError
from services.gateway.likeness import Likeness, likening
from services.ledger.reported import Labelled
from tests.unit.report.manifests import juror, manifest, tally


def told(number, wrong):
    """Who is wrong says what nobody else says, and feedback names the right answer."""
    said = {name: f"{name}{number}" if bad else "x" for name, bad in wrong.items()}
    found = manifest(
        *map(juror, said),
        tally(**said),
        manifest_pb2.Feedback(score=0.0, expected="x"),
        ensemble="everyday",
    )
    found.request_id = f"r-{number}"
    return found


def labelled(*, last=1, n=300, apart=False):
    """`a` and `b` are wrong on the same prompts, unless `apart`; `c` on others."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(n):
        a, b, c = rng.random(3) < 0.3
        rows.append(told(number, {"a": a, "b": b if apart else a, "c": c}))
    return Labelled(last, rows)


async def looked(likeness, found):
    await likeness.look(lambda _: found)
    return likeness


async def test_a_pair_is_listed_with_what_was_seen():
    (pair,) = (await looked(Likeness(), labelled())).pairs

    assert ["a", "b"] == list(pair.jurors)
    assert "everyday" == pair.ensemble
    assert 250 < pair.requests <= 300
    assert pair.error_correlation > 0.9
    assert "a and b hardly count as two: their errors correlate with 1.00" in pair.reason_text


async def test_it_is_logged_once(caplog):
    likeness = Likeness()
    with caplog.at_level(logging.WARNING):
        for last in (1, 2, 3):
            await looked(likeness, labelled(last=last))

    assert 1 == caplog.text.count("a and b hardly count as two")


async def test_who_errs_apart_is_not_listed():
    assert [] == (await looked(Likeness(), labelled(apart=True))).pairs


async def test_a_pair_that_comes_apart_is_listed_no_more():
    likeness = await looked(Likeness(), labelled(last=1))

    assert [] == (await looked(likeness, labelled(last=2, apart=True))).pairs


async def test_few_labels_say_nothing():
    assert [] == (await looked(Likeness(), labelled(n=49))).pairs


async def test_without_new_feedback_it_stays_as_it_was():
    likeness = await looked(Likeness(), labelled(last=7))
    asked = []

    def read(seen):
        asked.append(seen)
        return Labelled(seen, ())

    await likeness.look(read)

    assert [7] == asked
    assert 1 == len(likeness.pairs)


async def test_what_the_ledger_cannot_tell_is_the_callers_to_know():
    def read(_):
        raise LedgerError("gone")

    with pytest.raises(LedgerError):
        await Likeness().look(read)


async def test_a_gateway_without_a_ledger_serves_all_the_same(tmp_path):
    async with likening(tmp_path / "none.sqlite") as likeness:
        assert [] == likeness.pairs
