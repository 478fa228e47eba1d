"""Reads Python literals and calls from their syntax tree; nothing is ever run."""

import ast
import operator
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

from services.core.unreadable import UnreadableError

MAX_PYTHON_BYTES: Final = 1 << 14
"""Parsing holds the event loop, for a millisecond or two per KiB."""
MAX_LEVELS: Final = 80
"""Of a syntax tree: 64 of values, and what stands around them."""
MAX_BITS: Final = 14_000
"""Of an integer: Python writes none of more than 4,300 digits, and reads longer ones in hexadecimal."""
MAX_OPERAND: Final = 1e15
_WORKED_OUT: Final[dict[type[ast.operator], Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_SINGLETONS: Final = {"true": True, "false": False, "null": None}


@dataclass(frozen=True, slots=True)
class Call:
    """A call as written."""

    name: str
    arguments: Any
    """By name; a model may have encoded them into a text."""
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


def calls_in(text: str) -> tuple[list[Call], tuple[str, ...]]:
    """The calls in `f(a=1)`, `[f(a=1), g()]`, or several of these, one below the other.

    Beside them, the repairs: MANY_LISTS where there is more than one list,
    JSON_CONSTANT for JSON's `true`, `false` or `null`, BARE_WORD for a text
    without quotes, ARITHMETIC for a sum or product that was worked out.

    Raises
    ------
    UnreadableError
        If the text is anything else.
    """
    tree = cast(ast.Module, _parsed(text, "exec"))
    groups = [_listed(_body(statement)) for statement in tree.body]
    calls = [_call(node) for nodes, _ in groups for node in nodes]
    has_many = sum(is_list for _, is_list in groups) > 1
    return calls, (*(("MANY_LISTS",) if has_many else ()), *_repairs_of(tree))


def _repairs_of(tree: ast.AST) -> tuple[str, ...]:
    """Names of what the values of calls hold that is no plain literal."""
    given = [part.value for part in ast.walk(tree) if isinstance(part, ast.keyword)]
    found = [part for value in given for part in ast.walk(value)]
    names = {part.id for part in found if isinstance(part, ast.Name)}
    repairs = {
        "JSON_CONSTANT": bool(names & _SINGLETONS.keys()),
        "BARE_WORD": bool(names - _SINGLETONS.keys()),
        "ARITHMETIC": any(isinstance(part, ast.BinOp) for part in found),
    }
    return tuple(name for name, was_made in repairs.items() if was_made)


def _listed(body: ast.expr) -> tuple[list[ast.expr], bool]:
    if isinstance(body, ast.List | ast.Tuple):
        return body.elts, True
    return [body], False


def _body(statement: ast.stmt) -> ast.expr:
    if isinstance(statement, ast.Expr):
        return statement.value
    raise UnreadableError("NOT_CALLS", "not only calls")


def _parsed(text: str, mode: Literal["eval", "exec"]) -> ast.AST:
    if len(text.encode(errors="replace")) > MAX_PYTHON_BYTES:
        raise UnreadableError("TOO_LARGE", f"more than {MAX_PYTHON_BYTES} bytes of Python syntax")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a model's invalid escapes are no concern of ours
            tree = ast.parse(text.strip(), mode=mode)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as err:
        raise UnreadableError("NOT_JSON", "neither JSON nor a Python literal") from err
    _check_levels(tree)
    return tree


def _check_levels(tree: ast.AST) -> None:
    """Refuse a tree that is too high to climb."""
    level = [tree]
    for _ in range(MAX_LEVELS):
        level = [part for node in level for part in ast.iter_child_nodes(node)]
        if not level:
            return
    raise UnreadableError("TOO_DEEP", f"Python syntax of more than {MAX_LEVELS} levels")


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=str() | float() | None as value):
            return value
        case ast.Constant(value=int() as value):
            return _printable(value)
        case ast.Name(id=name) if name in _SINGLETONS:
            return _SINGLETONS[name]
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -_number(number)
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item) for item in items]
        case ast.Dict(keys=keys, values=values):
            return object_of(
                [(_key(key), _value(value)) for key, value in zip(keys, values, strict=True)]
            )
        case _:
            raise UnreadableError("NOT_JSON", "not only literals")


def _number(value: float) -> float:
    if isinstance(value, bool):  # which Python takes for an integer
        raise UnreadableError("NOT_JSON", "true and false have no negative")
    return _printable(value) if isinstance(value, int) else value


def _printable(value: int) -> int:
    if value.bit_length() > MAX_BITS:
        raise UnreadableError("NOT_JSON", "an integer is too long to be written in digits")
    return value


def _key(node: ast.expr | None) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise UnreadableError("NOT_JSON", "an object's keys must be strings")


def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of its pairs.

    Raises
    ------
    UnreadableError
        If a key occurs twice.
    """
    value = dict(pairs)
    if len(value) < len(pairs):
        raise UnreadableError("DUPLICATE_KEY", "an object has the same key twice")
    return value


def _call(node: ast.expr) -> Call:
    if not isinstance(node, ast.Call):
        raise UnreadableError("NOT_CALLS", "not only calls")
    named = [(_named(keyword), _argument(keyword.value)) for keyword in node.keywords]
    return Call(_dotted(node.func), object_of(named), tuple(_value(arg) for arg in node.args))


def _argument(node: ast.expr) -> Any:
    """A value, plain arithmetic worked out; a word without quotes is its own text."""
    match node:
        case ast.Name(id=name) if name not in _SINGLETONS:
            return name
        case ast.Attribute() | ast.Subscript():
            return ast.unparse(node)
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _WORKED_OUT:
            return _worked_out(_WORKED_OUT[type(op)], _argument(left), _argument(right))
        case _:
            return _value(node)


def _worked_out(operate: Callable[[Any, Any], Any], one: Any, other: Any) -> Any:
    for number in (one, other):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise UnreadableError("NOT_CALLS", "an argument is an expression")
        if abs(number) > MAX_OPERAND:
            raise UnreadableError("NOT_CALLS", f"an operand is larger than {MAX_OPERAND:.0e}")
    try:
        return operate(one, other)
    except ZeroDivisionError as err:
        raise UnreadableError("NOT_CALLS", "an argument divides by zero") from err


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
