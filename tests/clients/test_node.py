"""A Node program with stubs generated from protos/ can ask."""

import json
import pathlib
import shutil
import subprocess
import sys

import pytest

from tests.running import ROOT

SOURCE = pathlib.Path(__file__).parent / "node"
LIMIT_S = 180


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A folder with the client, its packages and its stubs."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("node and npm are not installed")
    folder = tmp_path_factory.mktemp("node")
    for name in ("package.json", "package-lock.json", "ask.mjs"):
        shutil.copy(SOURCE / name, folder)
    subprocess.run(
        ["npm", "ci", "--no-audit", "--no-fund", "--silent"],  # noqa: S607 - whichever npm the machine has
        cwd=folder,
        check=True,
        timeout=LIMIT_S,
    )
    generate(folder)
    return folder


def generate(folder):
    plugin = folder / "node_modules" / ".bin" / "protoc-gen-es"
    subprocess.run(
        [
            sys.executable,
            ROOT / "protos" / "generate.py",
            folder / "stubs",
            f"--plugin=protoc-gen-es={plugin}",
            f"--es_out={folder / 'stubs'}",
            "--es_opt=target=js,import_extension=js",
        ],
        check=True,
        timeout=LIMIT_S,
    )


def run(client, address, question):
    done = subprocess.run(
        ["node", "ask.mjs", address, client / "stubs", question],  # noqa: S607 - whichever node the machine has
        cwd=client,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)


def test_reads_the_answer_and_the_manifest(client, scripted_mesh):
    code, reply = run(client, scripted_mesh.address, "What is 2 + 2?")

    assert 0 == code
    assert "4" == reply["answer"]["text"]
    assert {"client": "node"} == reply["manifest"]["labels"]


def test_reads_an_error(client, scripted_mesh):
    code, failure = run(client, scripted_mesh.address, " ")

    assert (1, 3) == (code, failure["code"])
    assert failure["message"].startswith("prompt.messages: ")
