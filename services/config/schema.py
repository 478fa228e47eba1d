"""The JSON Schema of `gremium.yaml`, for editors: `python -m services.config.schema [OUT]`."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from services.config.described import descriptions
from services.config.section import Section
from services.config.tree import Config

FILE_NAME: Final = "gremium.schema.json"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

Properties = dict[str, dict[str, Any]]


def schema() -> str:
    """The schema as text. The same tree gives the same bytes."""
    told = Config.model_json_schema()
    named = {kind.__name__: kind for kind in _sections(Section)}
    for name, part in (*told["$defs"].items(), (Config.__name__, told)):
        part["properties"] = _described(part["properties"], descriptions(named[name]))
    described = {"$schema": DIALECT, **told, "title": "gremium.yaml"}
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def _sections(kind: type[Section]) -> Iterator[type[Section]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _sections(child)


def _described(properties: Properties, texts: Mapping[str, str]) -> Properties:
    """Each property with its description, its keys in pydantic's order."""
    return {
        name: dict(sorted({**about, "description": texts[name]}.items()))
        for name, about in properties.items()
    }


def main() -> None:
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(schema(), encoding="utf-8")
    else:
        sys.stdout.write(schema())


if __name__ == "__main__":
    main()
