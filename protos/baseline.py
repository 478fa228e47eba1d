"""Record the contract that later ones may not break: `python protos/baseline.py`.

`baseline.binpb` beside this file is the contract of the last release; until
there is one, the contract as the first mesh spoke it. `buf breaking` compares
against this file and not against a git revision, because a check-out may be
shallow, and because only what was released was promised to anybody: between
two releases the contract may still change its mind. Run this once per release.

Comments are left out: they promise nothing, and rewording them should not
change the file.
"""

import pathlib
import tempfile

from generate import ROOT, run_protoc, sources, write_rules

BASELINE = ROOT / "baseline.binpb"


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        rules = write_rules(pathlib.Path(scratch) / "rules.binpb")
        run_protoc(rules, f"--descriptor_set_out={BASELINE}", "--include_imports", *sources())


if __name__ == "__main__":
    main()
