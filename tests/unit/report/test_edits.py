"""Advice becomes a change of the very text, comments and all, or is refused with the reason."""

import shutil
import subprocess

import pytest
import yaml

from services.report.edits import EditError, Set, Without, WithoutTier, edited, unified_diff

MODELS = """\
version: 1
models: # the roster
  a: &any {backend: openai, model: a, family: a, timeout_s: 9}
  b: {<<: *any, model: b, family: b}
  c: {<<: *any, model: c, family: c}
"""
BLOCK = (
    MODELS
    + """\
default_ensemble: everyday
ensembles:
  # asked all day
  everyday:
    pattern: jury
    jurors:
      # the strong one
      - model: a
        weight: 2 # of three
      - model: b
        instruction: |
          Be brief.
          Be right.

      # the cheap one
      - {model: c} # costs nothing
    quorum: 3 # all of them
  thrifty:
    pattern: route
    min_adequacy: 0.7 # a guess
    tiers:
      - name: small
        jurors: [{model: c}]
      - name: large
        jurors: [{model: a}, {model: b}] # both
"""
)


def jurors(text, ensemble="everyday"):
    return [each["model"] for each in yaml.safe_load(text)["ensembles"][ensemble]["jurors"]]


def changed(text, *edits):
    """Lines that go, and those that come."""
    diff = unified_diff(text, edited(text, edits), path="gremium.yaml")
    lines = [line for line in diff.splitlines() if not line.startswith(("---", "+++", "@@", " "))]
    return [line[1:] for line in lines if line[0] == "-"], [
        line[1:] for line in lines if line[0] == "+"
    ]


def without(name, tier="", ensemble="everyday"):
    return Without(ensemble, tier, name)


def quorum(value):
    return Set("everyday", "", ("quorum",), value)


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_a_juror_goes_and_the_others_stay_with_all_comments_of_theirs(name):
    after = edited(BLOCK, [without(name), quorum("2")])

    assert [each for each in "abc" if each != name] == jurors(after)
    assert BLOCK.count("#") - after.count("#") <= 1


def test_a_juror_with_a_text_of_several_lines_goes_whole():
    gone, come = changed(BLOCK, without("b"), quorum("2"))

    assert [
        "      - model: b",
        "        instruction: |",
        "          Be brief.",
        "          Be right.",
        "    quorum: 3 # all of them",
    ] == gone
    assert ["    quorum: 2 # all of them"] == come


def test_a_quorum_of_more_than_are_left_is_refused():
    with pytest.raises(EditError, match="quorum 3 is more than the 2 jurors"):
        edited(BLOCK, [without("b")])


@pytest.mark.parametrize(
    ("name", "left"),
    [("a", "[{model: b}]"), ("b", "[{model: a}]")],
)
def test_in_a_list_on_one_line_the_line_is_changed(name, left):
    _, come = changed(BLOCK, without(name, "large", "thrifty"))

    assert [f"        jurors: {left} # both"] == come


def test_a_tier_goes_whole():
    after = edited(BLOCK, [WithoutTier("thrifty", "small")])

    assert ["large"] == [t["name"] for t in yaml.safe_load(after)["ensembles"]["thrifty"]["tiers"]]
    assert "# both" in after


def test_a_number_changes_in_its_place():
    gone, come = changed(BLOCK, Set("thrifty", "", ("min_adequacy",), "0.55"))

    assert ["    min_adequacy: 0.7 # a guess"] == gone
    assert ["    min_adequacy: 0.55 # a guess"] == come


def test_what_does_not_stand_in_the_file_cannot_be_changed():
    with pytest.raises(EditError, match="`accept_at` does not stand in the file"):
        edited(BLOCK, [Set("thrifty", "", ("accept_at",), "0.5")])


def test_the_last_juror_stays():
    with pytest.raises(EditError, match="nobody would be left"):
        edited(BLOCK, [without("c", "small", "thrifty")])


def test_a_juror_that_is_not_there_any_more_is_named():
    with pytest.raises(EditError, match="no juror `d` any more"):
        edited(BLOCK, [without("d")])


SHARED = (
    MODELS
    + """\
default_ensemble: one
ensembles:
  one:
    pattern: jury
    jurors: &all [{model: a}, {model: b}, {model: c}]
  two:
    pattern: jury
    jurors: *all
"""
)


def test_lines_that_another_ensemble_shares_are_not_touched():
    with pytest.raises(EditError, match="`two` is written with the same lines"):
        edited(SHARED, [without("c", ensemble="one")])


@pytest.mark.parametrize("text", [BLOCK, BLOCK.removesuffix("\n")], ids=["whole", "no last break"])
def test_patch_takes_the_diff(require, tmp_path, text):
    require("patch")
    after = edited(text, [without("b"), quorum("2"), without("b", "large", "thrifty")])
    (tmp_path / "gremium.yaml").write_text(text)

    subprocess.run(
        [shutil.which("patch"), "-p0"],
        input=unified_diff(text, after, path="gremium.yaml"),
        cwd=tmp_path,
        text=True,
        check=True,
        capture_output=True,
        timeout=10,
    )

    assert after == (tmp_path / "gremium.yaml").read_text()


def test_without_a_change_there_is_no_diff():
    assert "" == unified_diff(BLOCK, BLOCK, path="gremium.yaml")
