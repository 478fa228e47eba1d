"""Walks through the examples with the embedded model: `make demo`.

Each example is run as it stands, but for its models: all of them become
SmolLM2-135M, which needs no key and no network. It shows what each pattern
does; it does not show what an ensemble is worth, and it cannot judge.
"""

import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from itertools import cycle
from typing import Any

import yaml

HERE = pathlib.Path(__file__).resolve().parent
LIMIT_S = 200
STAND_IN = {
    "backend": "local",
    "model": "smollm2-135m",
    "family": "smollm",
    "provider": "local",
    "timeout_s": 100,
    "expected_latency_s": 8,
    "temperature": 0,
    "context_tokens": 4096,
    "max_output_tokens": 80,
    "tools": False,
}
WAYS = (
    "Answer in one plain sentence.",
    "Answer with the fact alone, in as few words as possible.",
    "You are a careful assistant. Give a short and correct answer.",
    "Think of what is asked, then answer in one sentence.",
)
"""What tells one model apart from itself."""
QUESTIONS: Mapping[str, tuple[str, ...]] = {
    "route": ("What is the capital of France?",),
    "cascade": ("What is the largest ocean on Earth?",),
    "jury": ("Is the Earth round?", "--label", "yes", "--label", "no"),
    "specialists": ("What does gremium lint warn of?",),
}
"""What each example is asked, in the order of the tour."""


def main() -> int:
    for name, question in QUESTIONS.items():
        text = (HERE / name / "gremium.yaml").read_text()
        print(f"\n=== {name}: examples/{name}/gremium.yaml")
        print(" ".join(["$ gremium ask --start", *question[1:], f'"{question[0]}"']), flush=True)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "gremium.yaml"
            path.write_text(stood_in(text, HERE / name))
            if (code := ask(path, question)) == 1:
                return code
    print("\nThe answers above are those of a very small model. For real ones, copy an example.")
    return 0


def ask(config: pathlib.Path, question: tuple[str, ...]) -> int:
    """Exit code of `gremium ask`: 1 is an error, everything else an outcome."""
    command = [sys.executable, "-m", "services.cli", "ask", "--start", "--timeout", "150"]
    done = subprocess.run(
        [*command, "--config", str(config), *question[1:], "--", question[0]],
        cwd=config.parent,
        timeout=LIMIT_S,
        check=False,
    )
    return done.returncode


def stood_in(text: str, folder: pathlib.Path) -> str:
    """A configuration whose models all are the embedded one; `folder` is where it stood."""
    config = yaml.safe_load(text)
    models = dict(zip(config["models"], cycle(WAYS), strict=False))
    ensembles = _replaced(in_place(config["ensembles"], folder), models)
    return yaml.safe_dump({**config, "models": {"smollm2": STAND_IN}, "ensembles": ensembles})


def in_place(part: Any, folder: pathlib.Path) -> Any:
    """A part of a configuration that is read elsewhere: the folders it searches stay the same."""
    match part:
        case {"retrieval": {"folder": str(relative), **how}, **rest}:
            return {**rest, "retrieval": {**how, "folder": str((folder / relative).resolve())}}
        case dict():
            return {key: in_place(value, folder) for key, value in part.items()}
        case _:
            return part


def _replaced(part: Any, models: Mapping[str, str]) -> Any:
    match part:
        case {"jurors": list(jurors), **rest}:
            return {**_replaced(rest, models), "jurors": [_seated(j, models) for j in jurors]}
        case {"judge": dict(), **rest}:  # none of another family is there, so only checks remain
            return {**_replaced(rest, models), "judge": {}}
        case {"model": str(model), **rest} if model in models:
            return {**_replaced(rest, models), "model": "smollm2"}
        case dict():
            return {key: _replaced(value, models) for key, value in part.items()}
        case list():
            return [_replaced(each, models) for each in part]
        case _:
            return part


def _seated(juror: Mapping[str, Any], models: Mapping[str, str]) -> dict[str, Any]:
    name = juror["model"]
    return {"name": name, "instruction": models[name], **juror, "model": "smollm2"}


if __name__ == "__main__":
    sys.exit(main())
