"""The chart holds the curves that were measured, or says that there is none."""

import dataclasses

import numpy as np
import pytest

from services.routing.artefact import Embedding
from services.routing.chart import draw
from services.routing.fit import fit
from services.routing.measuring import measured
from tests.unit.routing.test_predict import DIM, planted

PNG = b"\x89PNG\r\n"


@pytest.fixture(scope="module")
def found():
    routing = fit(planted(), Embedding("none", "words", DIM), created="")
    return measured(routing, planted(seed=5), planted(), pair=("small", "large"))


def test_writes_a_picture(found, tmp_path):
    draw(found, tmp_path / "curve.png", title="a router")

    assert (tmp_path / "curve.png").read_bytes().startswith(PNG)


def test_more_curves_make_another_picture(found, tmp_path):
    pair = dataclasses.replace(found.pair, curves={"router": found.pair.curves["router"]})
    for name, each in (("all", found), ("one", dataclasses.replace(found, pair=pair))):
        draw(each, tmp_path / name, title="a router")

    assert (tmp_path / "all").read_bytes() != (tmp_path / "one").read_bytes()


def test_without_curves_there_is_nothing_to_draw(found, tmp_path):
    nothing = dataclasses.replace(found, pair=None, frontier=None, notes=("too few",))

    with pytest.raises(ValueError, match="no curve to draw: too few"):
        draw(nothing, tmp_path / "curve.png", title="")
    assert not (tmp_path / "curve.png").exists()


def test_figures_are_those_of_the_rows(found):
    assert found.n == 400
    assert np.isfinite(found.pair.curves["router"].apgr)
