"""Write the contract as a buf image: `python protos/image.py OUT`."""

import pathlib
import sys
import tempfile

from generate import run_protoc, sources, write_rules


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        rules = write_rules(pathlib.Path(scratch) / "rules.binpb")
        run_protoc(
            rules,
            f"--descriptor_set_out={sys.argv[1]}",
            "--include_imports",
            "--include_source_info",
            *sources(),
        )


if __name__ == "__main__":
    main()
