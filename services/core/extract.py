"""Finds JSON in what a model wrote, and mends it where its meaning is plain."""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from services.core.literals import literal_in, object_of
from services.core.unreadable import UnreadableError

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 64
MAX_SPANS: Final = 32

Reading = tuple[Any, tuple[str, ...]]
"""A value, and the names of the repairs that it took."""

_STRING = r'"(?:[^"\\]++|\\.)*+"'
_QUOTED = r"(?<=[\[{(,:=\s])'(?:[^'\\]++|\\.)*+'(?=\s*[,\]}):])"
_BRACKET = r"[\[\]{}]"
_TRAILING = r"(?P<trailing>,)(?=\s*[\]}])"
_TOKEN_ENDS: Final = rf"{_QUOTED}|{_BRACKET}|[^\"'\[\]{{}}]++|."
_COMMA_ENDS: Final = rf"{_QUOTED}|{_TRAILING}|[^\"',]++|."
"""Something matches everywhere, so that no search for the next match takes long."""
_TOKEN: Final = re.compile(rf"{_STRING}|{_TOKEN_ENDS}", re.DOTALL)
_OPEN_TOKEN: Final = re.compile(_TOKEN_ENDS, re.DOTALL)
_COMMA: Final = re.compile(rf"{_STRING}|{_COMMA_ENDS}", re.DOTALL)
_OPEN_COMMA: Final = re.compile(_COMMA_ENDS, re.DOTALL)
_OPENER: Final = re.compile(r"[\[{]")
_OBJECT: Final = re.compile(r"\{\s*[\"']")
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_FENCE: Final = re.compile(r"```(?:[A-Za-z_+-]*(?=\s)|json)?\s*(.*?)(?:```|\Z)", re.DOTALL)
_CLOSER: Final = {"[": "]", "{": "}"}


def readings(text: str) -> Iterator[Reading]:
    """Every JSON value that a text may mean, most likely first.

    The whole text comes first, then fenced blocks, then balanced brackets
    amid prose.

    Raises
    ------
    UnreadableError
        If there is none; the reason is NOT_JSON, DUPLICATE_KEY, NOT_FINITE,
        TOO_DEEP or TOO_LARGE.
    """
    problem, found = UnreadableError("NOT_JSON", "the answer holds no JSON"), False
    for piece, repairs in pieces(text):
        try:
            value, mended = parse_json(piece)
        except UnreadableError as err:
            if err.reason != "NOT_JSON" and piece == text.strip():
                raise
            problem = err if problem.reason == "NOT_JSON" else problem
        else:
            found = True
            yield value, (*repairs, *mended)
    if not found:
        raise problem


def pieces(text: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Parts of a text that may be data, and how each was cut out.

    Raises
    ------
    UnreadableError
        If the text is larger than MAX_BYTES.
    """
    if len(text) > MAX_BYTES or len(text.encode(errors="replace")) > MAX_BYTES:
        raise UnreadableError("TOO_LARGE", f"larger than {MAX_BYTES} bytes")
    bare = text.removeprefix("\ufeff").strip()
    yield bare, ("BYTE_ORDER_MARK",) if text.startswith("\ufeff") else ()
    for fence in _FENCE.finditer(bare):
        yield fence.group(1).strip(), ("FENCE",)
    for span in _spans(bare):
        yield span, ("PROSE_AROUND",)


def _spans(text: str) -> Iterator[str]:
    """Balanced `{…}` and `[…]` that stand in no other."""
    start = 0
    for _ in range(MAX_SPANS):
        opened = _OPENER.search(text, start)
        if opened is None:
            return
        end = _closed_at(text, opened.start())
        if end < 0 or (end == 0 and _OBJECT.match(text, opened.start())):
            return  # what stands inside a broken object is only a part of the answer
        if end:
            yield text[opened.start() : end]
        start = end or opened.end()


def _closed_at(text: str, start: int) -> int:
    """Where the bracket at `start` is closed; 0 when it is not, -1 when it is too deep to tell."""
    awaited: list[str] = []
    for token in _tokens(text, start):
        mark = token.group()
        if mark in _CLOSER:
            awaited.append(_CLOSER[mark])
        elif mark in "]}" and mark != awaited.pop():
            return 0
        if not awaited:
            return token.end()
        if len(awaited) > MAX_DEPTH:
            return -1
    return 0


def _tokens(text: str, start: int) -> Iterator[re.Match[str]]:
    """Strings, brackets and what is between them. No string is looked for behind one left open."""
    opened = _left_open_at(text, start)
    yield from _TOKEN.finditer(text, start, opened)
    yield from _OPEN_TOKEN.finditer(text, opened)


def _left_open_at(text: str, start: int = 0) -> int:
    """Where the string begins that nothing closes, as then no later one is; else the end."""
    marks = (token.start() for token in _TOKEN.finditer(text, start) if token[0] == '"')
    return next(marks, len(text))


def _without_trailing_commas(text: str) -> str:
    opened = _left_open_at(text)
    closed = _COMMA.sub(_but_trailing, text[:opened])
    return closed + _OPEN_COMMA.sub(_but_trailing, text[opened:])


def _but_trailing(token: re.Match[str]) -> str:
    return "" if token["trailing"] else token[0]


def parse_json(text: str) -> Reading:
    """Read a text that is nothing but JSON, if need be after repairs.

    Raises
    ------
    UnreadableError
        If it cannot be read.
    """
    for candidate, read, repairs in _attempts(text):
        try:
            value = read(candidate)
        except UnreadableError as err:
            if err.reason != "NOT_JSON":
                raise
        else:
            _check_depth(value)
            return value, repairs
    raise UnreadableError("NOT_JSON", "the answer is not JSON")


def _attempts(text: str) -> Iterator[tuple[str, Callable[[str], Any], tuple[str, ...]]]:
    yield text, _strict, ()
    yield text, _with_raw_controls, ("CONTROL_CHARACTERS",)
    if not text.startswith(("{", "[")):
        return
    plain = _ESCAPE.sub(lambda m: "_" if m[1] == "_" else m[0], text)
    repairs = ("MARKDOWN_ESCAPE",) if plain != text else ()
    yield plain, _with_raw_controls, repairs
    trimmed = _without_trailing_commas(plain)
    yield trimmed, _with_raw_controls, (*repairs, "TRAILING_COMMA")
    yield plain, literal_in, (*repairs, "PYTHON_LITERAL")
    repairs = (*repairs, "TRAILING_COMMA") if trimmed != plain else repairs
    yield _ESCAPE.sub(_as_json_escape, trimmed), _with_raw_controls, (*repairs, "BACKSLASH")


def _as_json_escape(escape: re.Match[str]) -> str:
    if escape[1] == "'":
        return "'"
    is_json = escape[1][0] in '"\\/bfnrt' or len(escape[1]) > 1
    return escape[0] if is_json else "\\" + escape[0]


def _strict(text: str) -> Any:
    return _loads(text, strict=True)


def _with_raw_controls(text: str) -> Any:
    return _loads(text, strict=False)


def _loads(text: str, *, strict: bool) -> Any:
    try:
        return json.loads(
            text,
            strict=strict,
            object_pairs_hook=object_of,
            parse_int=_integer,
            parse_constant=_refuse_constant,
        )
    except UnreadableError:
        raise
    except RecursionError as err:
        raise _too_deep() from err
    except ValueError as err:  # no JSON, or an integer longer than sys.get_int_max_str_digits()
        raise UnreadableError("NOT_JSON", f"the answer is not JSON: {err}") from err


def _integer(digits: str) -> int:
    """As the parser would read it, who lets other threads in when he calls back."""
    return int(digits)


def _refuse_constant(name: str) -> Any:
    raise UnreadableError("NOT_FINITE", f"{name} is no JSON number")


def _check_depth(value: Any) -> None:
    level = _containers([value])
    for _ in range(MAX_DEPTH):
        level = [child for item in level for child in _containers(_children(item))]
        if not level:
            return
    raise _too_deep()


def _containers(items: Iterable[Any]) -> list[Any]:
    return [item for item in items if isinstance(item, dict | list)]


def _children(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container


def _too_deep() -> UnreadableError:
    return UnreadableError("TOO_DEEP", f"nested deeper than {MAX_DEPTH} levels")
