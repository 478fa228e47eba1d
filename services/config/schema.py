"""The JSON Schema of `gremium.yaml`, for editors: `python -m services.config.schema [OUT]`."""

import json
import sys
from pathlib import Path
from typing import Final

from services.config.tree import Config

FILE_NAME: Final = "gremium.schema.json"
DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema() -> str:
    """The schema as text. The same tree gives the same bytes."""
    described = {"$schema": DIALECT, **Config.model_json_schema(), "title": "gremium.yaml"}
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(schema(), encoding="utf-8")
    else:
        sys.stdout.write(schema())


if __name__ == "__main__":
    main()
