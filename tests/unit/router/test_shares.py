"""A share of strong calls that is not kept is told once, and chance alone is not."""

import numpy as np
import pytest

from router_svc.shares import LEAST, WINDOW, ShareWatch


def warnings(watch, decisions):
    return [told for strong in decisions if (told := watch.note(strong=bool(strong)))]


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 1.0])
def test_is_silent_while_the_share_is_kept(share):
    told = [
        warnings(ShareWatch(share), np.random.default_rng(seed).random(10_000) < share)
        for seed in range(5)
    ]

    assert [[]] * 5 == told


@pytest.mark.parametrize(("share", "realised"), [(0.3, 0.45), (0.3, 0.15), (0.0, 0.1), (1.0, 0.9)])
def test_warns_once_when_it_is_not(share, realised):
    rng = np.random.default_rng(0)
    watch = ShareWatch(share)
    (told,) = warnings(watch, rng.random(WINDOW) < realised)

    assert f"{share:.1%} are due" in told
    assert watch.realised == pytest.approx(realised, abs=0.03)


def test_warns_again_after_it_was_kept_in_between():
    watch, kept, lost = ShareWatch(0.5), [True, False] * WINDOW, [True] * WINDOW

    assert 2 == len(warnings(watch, [*kept, *lost, *kept, *lost]))


def test_a_few_decisions_say_nothing():
    assert [] == warnings(ShareWatch(0.1), [True] * (LEAST - 1))
