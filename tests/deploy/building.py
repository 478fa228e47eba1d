"""Builds the image from what is in the tree, without the internet inside the build.

The packages are fetched here and handed to the build as wheels.
"""

import re
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from docker.models.images import Image
from docker.utils import exclude_paths

from tests.deploy.engine import Engine
from tests.running import ROOT

BASE = "python:3.11-slim"
IMAGE = "gremium:test"
DOCKERFILE = "deploy/Dockerfile"
EXTRAS = ("embedded", "postgres")
FETCH_LIMIT_S = 300
LIBRARIES = ("libstdc++.so", "libgomp.so")
LOADED = "import grpc, xllamacpp; print(open('/proc/self/maps').read())"


def build(engine: Engine, folder: Path) -> Image:
    """The image of the tree; `folder` takes what is fetched for it.

    What others wrote gets a name of its own, so that it is still there for the next build.
    """
    _fetch_wheels(folder / "wheels")
    base = _base(engine, folder / "base")
    with tempfile.TemporaryFile(dir=folder) as context:
        _pack(context, sorted((folder / "wheels").iterdir()))
        _built(engine, context, base, tag=f"{IMAGE}-packages", target="packages")
        return _built(engine, context, base, tag=IMAGE)


def _built(engine: Engine, context: IO[bytes], base: str, **of: str) -> Image:
    context.seek(0)
    image, _ = engine.client.images.build(
        fileobj=context,
        custom_context=True,
        dockerfile=DOCKERFILE,
        rm=True,
        forcerm=True,
        buildargs={"BASE": base, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "deploy/wheels"},
        **of,
    )
    return image


def _fetch_wheels(folder: Path) -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project = told["project"]
    packages = [
        *told["build-system"]["requires"],
        *project["dependencies"],
        *(each for extra in EXTRAS for each in project["optional-dependencies"][extra]),
    ]
    data = re.findall(r"[\w-]+==[\d.]+", (ROOT / DOCKERFILE).read_text())
    _download(folder, packages)
    _download(folder, ["--no-deps", *data])


def _download(folder: Path, arguments: Sequence[str]) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]
    options = ["--only-binary=:all:", "--python-version=3.11", f"--dest={folder}"]
    subprocess.run([*command, *options, *arguments], timeout=FETCH_LIMIT_S, check=True)


def _pack(context: IO[bytes], wheels: Sequence[Path]) -> None:
    """Write what a build from the root would send, and the wheels."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    with tarfile.open(fileobj=context, mode="w") as tar:
        for name in sorted(exclude_paths(str(ROOT), rules, dockerfile=DOCKERFILE)):
            tar.add(ROOT / name, name, recursive=False)
        for wheel in wheels:
            tar.add(wheel, f"deploy/wheels/{wheel.name}")


def _base(engine: Engine, folder: Path) -> str:
    """The base image; one that cannot install libraries gets those that this machine uses."""
    can_install = "command -v apt-get || true"
    if engine.client.containers.run(BASE, ["sh", "-c", can_install], remove=True):
        return BASE
    (folder / "lib").mkdir(parents=True, exist_ok=True)
    for library in _libraries():
        (folder / "lib" / library.name).write_bytes(library.read_bytes())
    (folder / "Dockerfile").write_text(
        f"FROM {BASE}\nCOPY lib/ /usr/local/lib/\nRUN chmod 755 /usr/local/lib/*.so* && ldconfig\n"
    )
    image, _ = engine.client.images.build(path=str(folder), tag=f"{IMAGE}-base", rm=True)
    return str(image.tags[0])


def _libraries() -> set[Path]:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, timeout=60, check=True
    )
    paths = {Path(line.split()[-1]) for line in done.stdout.splitlines() if "/" in line}
    return {path for path in paths if path.name.startswith(LIBRARIES)}
