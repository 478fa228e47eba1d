"""A YAML file as plain data that still knows its lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import yaml

Loc = tuple[int | str, ...]
"""Path into the document: keys of mappings and indices of lists."""

UNREADABLE: Final = (ValueError, KeyError, AttributeError, OverflowError)
"""What PyYAML raises where a date, a number or a truth value is none, such as `2026-13-45`."""
MOST_SHOWN: Final = 40
TAB_HINT: Final = "found a tab; indent with spaces"


class YamlError(Exception):
    """The text is no usable YAML document."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        """1-based."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a YAML text says, and where."""

    data: Any
    root: yaml.Node
    duplicates: tuple[tuple[int, str], ...]
    """Line and key of every key that stands twice in one mapping."""

    def line(self, loc: Loc) -> int:
        """1-based line of the deepest step of `loc` that the text has."""
        node, line = self.root, self.root.start_mark.line
        for step in loc:
            found = _child(node, step)
            if found is None:
                break
            node, line = found
        return line + 1


def parse(text: str) -> Document:
    """Read one YAML document of plain values.

    Raises
    ------
    YamlError
        If it is no YAML, holds nothing, or holds more than plain values.
    """
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if root is None:
            raise YamlError(1, "the file is empty")
        duplicates = tuple(_duplicates(root, set(), ()))  # before `<<` is merged into its mapping
        return Document(_plain_data(loader, root), root, duplicates)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        raise YamlError(mark.line + 1 if mark else 1, _plain(err)) from err
    except yaml.reader.ReaderError as err:
        line = text.count("\n", 0, int(err.position)) + 1
        raise YamlError(line, "holds a character that YAML does not allow") from err
    except RecursionError as err:
        raise YamlError(1, "is nested too deeply") from err


def _plain_data(loader: yaml.SafeLoader, root: yaml.Node) -> Any:
    try:
        return loader.construct_document(root)
    except UNREADABLE as err:
        line, text = next(_unreadable(root), (1, ""))
        raise YamlError(line, f"holds {text!r}, which YAML cannot read as a value") from err


def _unreadable(node: yaml.Node) -> Iterator[tuple[int, str]]:
    """Line and text of each value that looks like a date or a number and is none."""
    if isinstance(node, yaml.ScalarNode):
        try:
            yaml.SafeLoader("").construct_document(node)
        except UNREADABLE:
            yield node.start_mark.line + 1, node.value[:MOST_SHOWN]
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        yield from (*_unreadable(key), *_unreadable(value))
    for value in node.value if isinstance(node, yaml.SequenceNode) else ():
        yield from _unreadable(value)


def _plain(err: yaml.MarkedYAMLError) -> str:
    problem = err.problem or err.context or "cannot be read"
    told = TAB_HINT if "\\t" in problem else problem  # the parser names a tab by its escape
    return f"is no valid YAML: {told}"


def _duplicates(
    node: yaml.Node, seen: set[int], above: tuple[int, ...]
) -> Iterator[tuple[int, str]]:
    if id(node) in above:
        raise YamlError(node.start_mark.line + 1, "contains itself")
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        yield from _twice(node)
    for child in _children(node):
        yield from _duplicates(child, seen, (*above, id(node)))


def _twice(node: yaml.MappingNode) -> Iterator[tuple[int, str]]:
    keys: set[str] = set()
    for key, _ in node.value:
        if isinstance(key, yaml.ScalarNode):
            if key.value in keys:
                yield key.start_mark.line + 1, key.value
            keys.add(key.value)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [value for _, value in node.value]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _child(node: yaml.Node, step: int | str) -> tuple[yaml.Node, int] | None:
    """The node under `step`, and the 0-based line where it is introduced."""
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        item = node.value[step]
        return item, item.start_mark.line
    if isinstance(node, yaml.MappingNode):
        for key, value in reversed(node.value):  # merged keys stand before the mapping's own
            if isinstance(key, yaml.ScalarNode) and key.value == str(step):
                return value, key.start_mark.line
    return None
