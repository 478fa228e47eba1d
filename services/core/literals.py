"""Reads Python literals and calls from their syntax tree; nothing is ever run."""

import ast
import warnings
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from services.core.unreadable import UnreadableError

MAX_PYTHON_BYTES: Final = 1 << 16
_SINGLETONS: Final = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Call:
    """A call as written."""

    name: str
    arguments: dict[str, Any]
    positional: tuple[Any, ...] = ()


def literal_in(text: str) -> Any:
    """The value of a Python literal; JSON's `true`, `false` and `null` are known too.

    Raises
    ------
    UnreadableError
        If the text is anything else, or a key occurs twice.
    """
    tree = _parsed(text, "eval")
    return _value(cast(ast.Expression, tree).body)


def calls_in(text: str) -> list[Call]:
    """The calls in `f(a=1)`, `[f(a=1), g()]`, or one call per line.

    Raises
    ------
    UnreadableError
        If the text is anything else.
    """
    bodies = [_body(statement) for statement in _statements(text)]
    if len(bodies) == 1 and isinstance(bodies[0], ast.List | ast.Tuple):
        bodies = bodies[0].elts
    return [_call(node) for node in bodies]


def _statements(text: str) -> list[ast.stmt]:
    return cast(ast.Module, _parsed(text, "exec")).body


def _body(statement: ast.stmt) -> ast.expr:
    if isinstance(statement, ast.Expr):
        return statement.value
    raise UnreadableError("NOT_CALLS", "not only calls")


def _parsed(text: str, mode: Literal["eval", "exec"]) -> ast.AST:
    if len(text) > MAX_PYTHON_BYTES:
        raise UnreadableError("TOO_LARGE", f"more than {MAX_PYTHON_BYTES} bytes of Python syntax")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a model's invalid escapes are no concern of ours
            return ast.parse(text.strip(), mode=mode)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as err:
        raise UnreadableError("NOT_JSON", "neither JSON nor a Python literal") from err


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=str() | int() | float() | None as value):
            return value
        case ast.Name(id=name) if name in _SINGLETONS:
            return _SINGLETONS[name]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return _object(
                [(_key(key), _value(value)) for key, value in zip(keys, values, strict=True)]
            )
        case _:
            raise UnreadableError("NOT_JSON", "not only literals")


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise UnreadableError("NOT_JSON", "an object's keys must be strings")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise UnreadableError("DUPLICATE_KEY", "an object has the same key twice")
    return value


def _call(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call):
        raise UnreadableError("NOT_CALLS", "not only calls")
    named = [(_named(keyword), _value(keyword.value)) for keyword in node.keywords]
    return Call(_dotted(node.func), _object(named), tuple(_value(arg) for arg in node.args))


def _named(keyword: ast.keyword) -> str:
    if keyword.arg is None:
        raise UnreadableError("NOT_CALLS", "a call unpacks its arguments")
    return keyword.arg


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=owner, attr=name):
            return f"{_dotted(owner)}.{name}"
        case _:
            raise UnreadableError("NOT_CALLS", "a call of something that has no name")
