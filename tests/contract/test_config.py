"""Every setting is documented, and the published schema is the one of this code."""

import ast
from pathlib import Path

import pytest

from services.config.described import descriptions
from services.config.schema import FILE_NAME, schema
from services.config.tree import Section

ROOT = Path(__file__).parents[2]
SETTINGS = sorted(path for path in ROOT.glob("*/**/settings.py") if ".venv" not in path.parts)


def sections(kind: type[Section] = Section) -> list[type[Section]]:
    return [kind, *(below for child in kind.__subclasses__() for below in sections(child))]


def documented(path: Path) -> dict[str, bool]:
    """Whether each field of the classes in a file has a docstring under it."""
    bodies = [
        node.body
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    return {
        f"{path.relative_to(ROOT)}: {field.target.id}": isinstance(after, ast.Expr)
        for body in bodies
        for field, after in zip(body, [*body[1:], None], strict=True)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    }


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.__name__)
def test_every_field_of_the_configuration_is_documented(section):
    assert [] == [name for name in section.model_fields if not descriptions(section).get(name)]
    assert section.__doc__


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_setting_of_a_process_is_documented(path):
    assert [] == [field for field, has_text in documented(path).items() if not has_text]


def test_the_published_schema_is_current():
    assert schema() == (ROOT / FILE_NAME).read_text(), (
        "python -m services.config.schema > " + FILE_NAME
    )
