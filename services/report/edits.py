"""Changes a configuration's text in place, comments and all. Pure: text in, text out."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from services.config.document import Loc, parse
from services.config.graphs import graph_faults
from services.config.places import value_at
from services.config.tree import Config


class EditError(ValueError):
    """An edit cannot be made; tells why, as the end of a sentence."""


@dataclass(frozen=True, slots=True)
class Without:
    """Leaves a juror out."""

    ensemble: str
    tier: str
    """Empty in the pattern `jury`."""
    juror: str


@dataclass(frozen=True, slots=True)
class WithoutTier:
    """Leaves a tier out."""

    ensemble: str
    tier: str


@dataclass(frozen=True, slots=True)
class Set:
    """Gives a setting of an ensemble another value, where it stands in the file."""

    ensemble: str
    tier: str
    """Of which tier; empty: of the ensemble itself."""
    keys: tuple[str, ...]
    value: str


Edit = Without | WithoutTier | Set


def edited(text: str, edits: Sequence[Edit]) -> str:
    """The configuration with the edits made, one after the other.

    Raises
    ------
    EditError
        If one cannot be, or something would change that was not to.
    """
    before = _config(text)
    after = text
    for edit in edits:
        after = _made(after, edit)
    found = _config(after)
    touched = {edit.ensemble for edit in edits}
    for name, ensemble in before.ensembles.items():
        if name not in touched and found.ensembles.get(name) != ensemble:
            raise EditError(f"`{name}` is written with the same lines, and would change as well")
    return after


def unified_diff(before: str, after: str, *, path: str) -> str:
    """What changes, as `patch` takes it; empty: nothing does."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True), after.splitlines(keepends=True), path, path
    )
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _config(text: str) -> Config:
    try:
        config = Config.model_validate(parse(text).data)
    except (yaml.YAMLError, ValueError) as err:
        raise EditError(f"what is left is no configuration: {_first(err)}") from err
    if faults := graph_faults(config):
        raise EditError(f"what is left is no configuration: {faults[0][1]}")
    return config


def _first(err: Exception) -> str:
    """What is wrong first, without the validator's own words around it."""
    errors = getattr(err, "errors", None)
    return str(errors()[0]["msg"]).lower() if errors else str(err)


def _made(text: str, edit: Edit) -> str:
    document = parse(text)
    match edit:
        case Without():
            place, i = _juror(document.data, edit)
            return _without_item(text, _node(document.root, place), i)
        case WithoutTier():
            place = ("ensembles", edit.ensemble, "tiers")
            i = _at(value_at(document.data, place), "name", edit.tier)
            return _without_item(text, _node(document.root, place), i)
        case Set():
            node = _node(
                document.root, (*_section(document.data, edit.ensemble, edit.tier), *edit.keys)
            )
            return text[: node.start_mark.index] + edit.value + text[node.end_mark.index :]


def _section(data: Any, ensemble: str, tier: str) -> Loc:
    """Where the settings of a tier stand; of the ensemble without one."""
    place: Loc = ("ensembles", ensemble)
    if not tier:
        return place
    tiers = (*place, "tiers")
    return (*tiers, _at(value_at(data, tiers), "name", tier))


def _juror(data: Any, edit: Without) -> tuple[Loc, int]:
    """Where its list stands, and its place there."""
    place: Loc = (*_section(data, edit.ensemble, edit.tier), "jurors")
    jurors = value_at(data, place) or []
    labels = [each.get("name") or each.get("model") for each in jurors if isinstance(each, dict)]
    if edit.juror not in labels:
        raise EditError(f"`{edit.ensemble}` has no juror `{edit.juror}` any more")
    return place, labels.index(edit.juror)


def _at(items: Any, key: str, wanted: str) -> int:
    for i, each in enumerate(items if isinstance(items, list) else []):
        if isinstance(each, dict) and each.get(key) == wanted:
            return i
    raise EditError(f"there is no `{wanted}` any more")


def _node(root: yaml.Node, place: Loc) -> yaml.Node:
    node = root
    for step in place:
        found = next((child for key, child in _children(node) if key == step), None)
        if found is None:
            raise EditError(f"`{step}` does not stand in the file")
        node = found
    return node


def _children(node: yaml.Node) -> Iterator[tuple[int | str, yaml.Node]]:
    if isinstance(node, yaml.SequenceNode):
        yield from enumerate(node.value)
    elif isinstance(node, yaml.MappingNode):
        yield from ((key.value, value) for key, value in node.value)


def _without_item(text: str, node: yaml.Node, i: int) -> str:
    """The text without one item of a list, which keeps at least one."""
    if not isinstance(node, yaml.SequenceNode) or len(node.value) < 2:
        raise EditError("nobody would be left")
    item = node.value[i]
    if node.flow_style:
        is_last = i + 1 == len(node.value)
        start = node.value[i - 1].end_mark.index if is_last else item.start_mark.index
        end = item.end_mark.index if is_last else node.value[i + 1].start_mark.index
        return text[:start] + text[end:]
    lines = text.splitlines(keepends=True)
    dash = text.count("\n", 0, text.rindex("-", 0, item.start_mark.index))
    last = _last_line(item)
    while not lines[last].strip():
        last -= 1
    return "".join([*lines[:dash], *lines[last + 1 :]])


def _last_line(node: yaml.Node) -> int:
    """0-based line on which the node's own text ends; comments behind it are not its own."""
    children = [child for _, child in _children(node)]
    if children and not getattr(node, "flow_style", False):
        return max(_last_line(child) for child in children)
    ended_before = node.end_mark.column == 0 and node.end_mark.line > node.start_mark.line
    return int(node.end_mark.line) - ended_before
