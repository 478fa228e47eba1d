"""The lint sees what a ledger that is off takes from the rest."""

import pytest

from services.config.lint import lint
from services.config.tree import Config
from tests.unit.config.linted import MODELS, jury

BUDGETS = {"team": {"per": "day", "max_usd": 5.0}}


def codes(**sections):
    tree = {"models": MODELS, "ensembles": {"default": jury("gpt", "claude", "gemini")}}
    return [(f.code, f.where) for f in lint(Config.model_validate({**tree, **sections}))]


def test_budgets_are_forgotten_where_nothing_is_recorded():
    found = codes(ledger={"mode": "off"}, budgets=BUDGETS)

    assert [("BUDGETS_WITHOUT_LEDGER", "ledger.mode")] == found


def test_what_stands_for_removed_records_proves_nothing_unsigned():
    found = codes(ledger={"keep_for_days": 90})

    assert [("PRUNED_UNSIGNED", "ledger.keep_for_days")] == found


@pytest.mark.parametrize(
    "sections",
    [
        {"ledger": {"mode": "off"}},
        {"ledger": {"keep_for_days": 90, "key": "key.pem"}},
        {"ledger": {"mode": "relaxed"}, "budgets": BUDGETS},
        {"budgets": BUDGETS},
    ],
)
def test_nothing_is_lost_else(sections):
    assert [] == codes(**sections)
