"""Who is in the jury of a tier does not judge it, by the model that it is."""

import pytest

from services.gateway.recusal import judges_of
from tests.cases import case, tier


@pytest.mark.parametrize(
    ("asked", "judges"), [("small", ["large", "judge"]), ("large", ["small", "judge"])]
)
def test_jurors_of_other_tiers_may_judge_in_the_order_of_preference(asked, judges):
    ensemble = case(tier("small"), tier("large")).ensemble
    judge = ensemble.judge.model_copy(update={"models": ("small", "large", "judge")})

    assert judges == judges_of(judge, ensemble, asked)
