"""The contract is documented, keeps its promises, and the committed stubs say the same."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROTOS = ROOT / "protos"
BUF = Path(sys.executable).with_name("buf")
STUBS = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_pb2_grpc.pyi", "__init__.py")
PLUGINS_FOUND = {**os.environ, "PATH": f"{BUF.parent}{os.pathsep}{os.environ['PATH']}"}

MEAN_LOGPROB = r"^  optional double mean_logprob = 7 \[[^;]*\];"

pytestmark = pytest.mark.skipif(not BUF.exists(), reason="buf-bin is not installed")


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=PLUGINS_FOUND,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def buf(protos: Path, *arguments: object) -> tuple[int, str]:
    """Exit code and report of buf on an image of these protos."""
    image = protos / "image.binpb"
    built = run(sys.executable, "image.py", image, cwd=protos)
    assert 0 == built.returncode, built.stderr
    verb, *more = arguments
    done = run(BUF, verb, image, "--config", "buf.yaml", *more, cwd=protos)
    return done.returncode, done.stdout + done.stderr


def breaking(protos: Path) -> tuple[int, str]:
    return buf(protos, "breaking", "--against", PROTOS / "baseline.binpb")


@pytest.fixture
def copied(tmp_path) -> Path:
    """The protos and their tools, to be changed freely."""
    folder = tmp_path / "protos"
    ignored = shutil.ignore_patterns("*_pb2*", "__pycache__", "*.binpb")
    shutil.copytree(PROTOS, folder, ignore=ignored)
    return folder


def change(protos: Path, name: str, pattern: str, replacement: str) -> None:
    path = protos / "gremium/v1" / name
    text, count = re.subn(pattern, replacement, path.read_text(), count=1, flags=re.MULTILINE)
    assert 1 == count, f"{name} no longer has {pattern}"
    path.write_text(text)


def stubs(folder: Path) -> dict[str, bytes]:
    found = (path for pattern in STUBS for path in folder.rglob(pattern))
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_committed_stubs_are_what_the_protos_generate(tmp_path):
    done = run(sys.executable, PROTOS / "generate.py", tmp_path, cwd=ROOT)

    assert 0 == done.returncode, done.stderr
    generated, committed = stubs(tmp_path), stubs(PROTOS)
    assert sorted(generated) == sorted(committed)
    assert [] == [name for name, text in generated.items() if text != committed[name]]


def test_the_contract_passes_its_lint(copied):
    assert (0, "") == buf(copied, "lint")


def test_the_lint_sees_a_field_without_a_comment(copied):
    change(copied, "jury.proto", r"^  // Name of a model in the roster\.\n", "")

    code, report = buf(copied, "lint")

    assert 0 != code
    assert 'Field "model" should have a non-empty comment' in report


def test_the_lint_sees_a_stream_that_is_not_excepted(copied):
    change(copied, "jury.proto", r"^  // buf:lint:ignore RPC_NO_SERVER_STREAMING\n", "")

    code, report = buf(copied, "lint")

    assert 0 != code
    assert "DeliberateStream" in report


def test_the_contract_breaks_no_promise_of_the_last_release(copied):
    assert (0, "") == breaking(copied)


def test_a_deleted_field_breaks_a_promise(copied):
    change(copied, "types.proto", MEAN_LOGPROB + r"\n", "")

    code, report = breaking(copied)

    assert 0 != code
    assert "deleted" in report


def test_a_renumbered_field_breaks_a_promise(copied):
    change(copied, "types.proto", MEAN_LOGPROB, "  optional double mean_logprob = 99;")

    assert 0 != breaking(copied)[0]


def test_a_new_field_breaks_none(copied):
    change(copied, "types.proto", MEAN_LOGPROB, r"\g<0>\n  // New.\n  string new = 99;")

    assert (0, "") == breaking(copied)
