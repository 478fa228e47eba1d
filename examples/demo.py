"""Walks through the examples with the embedded model: `make demo`.

One mesh has the ensemble of each example as it stands, but for its models: all of
them become SmolLM2-135M, which needs no key and no network. It shows what each
pattern does; it does not show what an ensemble is worth, and it cannot judge.
"""

import json
import pathlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import cycle
from typing import Any

import yaml

HERE = pathlib.Path(__file__).resolve().parent
LIMIT_S = 200
GREMIUM = (sys.executable, "-m", "services.cli")
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
    """Exit code of the tour; whatever ends it early stops its mesh first."""
    for each in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda number, _: sys.exit(128 + number))
    try:
        return tour()
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def tour() -> int:
    """Ask each example its question."""
    with tempfile.TemporaryDirectory() as folder, running(pathlib.Path(folder)):
        for name, question in QUESTIONS.items():
            print(f"\n=== {name}: examples/{name}/gremium.yaml")
            if (code := ask(pathlib.Path(folder), ensemble_of(name), question)) == 1:
                return code
    print("\nThe answers above are those of a very small model. For real ones, copy an example.")
    return 0


@contextmanager
def running(folder: pathlib.Path) -> Iterator[None]:
    """One mesh in `folder` that has the ensembles of all examples."""
    (folder / "gremium.yaml").write_text(stood_in())
    command = [*GREMIUM, "up", "--bind", "127.0.0.1:0", "--json"]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE) as mesh:
        try:
            line = mesh.stdout.readline() if mesh.stdout else b""
            if "gateway" not in json.loads(line or "{}"):
                sys.exit(1)  # it has said why
            yield
        finally:
            mesh.send_signal(signal.SIGINT)
            mesh.wait(LIMIT_S)


def ask(folder: pathlib.Path, ensemble: str, question: tuple[str, ...]) -> int:
    """Exit code of `gremium ask`: 1 is an error, everything else an outcome."""
    options = ["--ensemble", ensemble, *question[1:]]
    print(" ".join(["$ gremium ask", *options, f'"{question[0]}"']), flush=True)
    command = [*GREMIUM, "ask", "--timeout", "150", *options, "--", question[0]]
    return subprocess.run(command, cwd=folder, timeout=LIMIT_S, check=False).returncode


def ensemble_of(example: str) -> str:
    """The name of the only ensemble of an example."""
    (name,) = _read(example)["ensembles"]
    return str(name)


def stood_in() -> str:
    """One configuration of all examples, whose models all are the embedded one."""
    ensembles: dict[str, Any] = {}
    for name in QUESTIONS:
        config = _read(name)
        models = dict(zip(config["models"], cycle(WAYS), strict=False))
        # So small a model takes seconds to read a passage.
        placed = in_place(config["ensembles"], HERE / name, passages=1)
        ensembles |= _replaced(placed, models)
    first = next(iter(ensembles))
    told = {"models": {"smollm2": STAND_IN}, "ensembles": ensembles, "default_ensemble": first}
    return yaml.safe_dump(told)


def _read(example: str) -> dict[str, Any]:
    return dict(yaml.safe_load((HERE / example / "gremium.yaml").read_text()))


def in_place(part: Any, folder: pathlib.Path, **changed: Any) -> Any:
    """A part of a configuration that is read elsewhere: the folders it searches stay the same.

    `changed` tells what else of a search is to be another, such as how many `passages` it finds.
    """
    match part:
        case {"retrieval": {"folder": str(relative), **how}, **rest}:
            here = {"folder": str((folder / relative).resolve()), **changed}
            return {**rest, "retrieval": {**how, **here}}
        case dict():
            return {key: in_place(value, folder, **changed) for key, value in part.items()}
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
