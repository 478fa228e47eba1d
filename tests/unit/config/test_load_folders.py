"""A folder that is to be searched must be there where it is searched, and nowhere else."""

import pytest

from services.config.load import load
from services.config.problems import ConfigError
from tests.unit.config.valid import VALID

SEARCH = (
    VALID
    + """\
  handbook:
    pattern: specialists
    steps:
      search:
        retrieval:
          folder: docs
"""
)


@pytest.mark.parametrize("kind", ["nothing", "a file"])
def test_a_folder_to_search_must_be_here_where_that_is_asked(written, tmp_path, kind):
    path = written(SEARCH)
    if kind == "a file":
        (tmp_path / "docs").touch()

    assert load(path).config.ensembles["handbook"]
    with pytest.raises(ConfigError) as caught:
        load(path, with_folders=True)

    (problem,) = caught.value.problems
    assert 17 == problem.line
    assert problem.message == (
        "ensembles.handbook.steps.search.retrieval.folder: "
        f"there is no folder {tmp_path / 'docs'} that can be read"
    )


def test_a_folder_that_is_here_is_fine(written, tmp_path):
    (tmp_path / "docs").mkdir()

    assert load(written(SEARCH), with_folders=True).config.ensembles["handbook"]
