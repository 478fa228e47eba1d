"""Reads what stands under the fields of a section, when somebody asks for it.

pydantic would read it at every start of every process, which takes a tenth of a second.
"""

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import cast

from pydantic import BaseModel


@cache
def descriptions(section: type[BaseModel]) -> dict[str, str]:
    """The docstring of each field that has one, also of fields that a base declares."""
    bases = [kind for kind in reversed(section.__mro__) if kind is not BaseModel]
    return {
        name: text for kind in bases if issubclass(kind, BaseModel) for name, text in _written(kind)
    }


def _written(kind: type[BaseModel]) -> Iterator[tuple[str, str]]:
    defined = cast(ast.ClassDef, ast.parse(dedent(inspect.getsource(kind))).body[0])
    for field, after in pairwise(defined.body):
        match field, after:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text)
