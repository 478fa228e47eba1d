"""Starts Debian's PostgreSQL for tests, in a folder of its own: stopped, killed and started at will."""

import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import psycopg

LIMIT_S = 20.0
USER = "gremium"
PASSWORD = "correct horse: battery/staple"  # noqa: S105 - of a server that lives for a test


def programs() -> pathlib.Path | None:
    """Folder of the server's programs; Debian keeps them off the path."""
    debian = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    found = debian[-1] if debian else shutil.which("initdb")
    return pathlib.Path(found).parent if found else None


def _version(initdb: pathlib.Path) -> int:
    return int(initdb.parts[-3])


@dataclass
class Server:
    """A server on a socket in its folder, and by TCP on a port of 127.0.0.1."""

    folder: pathlib.Path
    port: int
    owner: dict[str, Any] = field(default_factory=dict)
    """Who runs it, where this is root, as whom it would not run."""
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = str(programs() / "postgres")
        places = ["-D", str(self.data), "-k", str(self.folder), "-p", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [program, *places], stdout=log, stderr=log, cwd="/", **self.owner
            )
        until = time.monotonic() + LIMIT_S
        while not self._answers():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() < until, self.log()
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """Stop it: SIGINT breaks connections off, SIGTERM waits for them, SIGKILL gives no warning."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(LIMIT_S)
            self.process = None

    def restart(self, how: signal.Signals) -> None:
        self.stop(how)
        self.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def data(self) -> pathlib.Path:
        return self.folder / "data"

    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def url(
        self,
        *,
        schema: str = "public",
        user: str = USER,
        password: str = PASSWORD,
        host: str = "",
        database: str = "postgres",
        **settings: str,
    ) -> str:
        """Address for tables in a schema; by the socket, or by a `host:port`."""
        here = f"{quote(str(self.folder), safe='')}:{self.port}"
        chosen = {"search_path": schema, **settings}
        options = quote(" ".join(f"-c{name}={value}" for name, value in chosen.items()))
        secret = quote(password, safe="")
        return f"postgresql://{user}:{secret}@{host or here}/{database}?options={options}"

    def connect(self, **place: str) -> psycopg.Connection:
        return psycopg.connect(self.url(**place), autocommit=True, connect_timeout=5)

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def serving() -> Iterator[Server]:
    """A fresh server that commits as it does by default, to the disk; by TCP it wants a password."""
    # Not in pytest's folder: only its owner may enter that.
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gremium-pg-"))
    server = Server(folder, _free_port(), _owner())
    try:
        _initialise(server)
        server.start()
        yield server
    finally:
        server.stop(signal.SIGQUIT)
        shutil.rmtree(folder)


def _initialise(server: Server) -> None:
    word = server.folder / "password"
    word.write_text(PASSWORD)
    if server.owner:
        for each in (server.folder, word):
            os.chown(each, server.owner["user"], server.owner["group"])
    made = subprocess.run(
        [
            *(str(programs() / "initdb"), "--pgdata", str(server.data), "--username", USER),
            *("--pwfile", str(word), "--auth-host", "scram-sha-256", "--auth-local", "trust"),
            *("--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", "--no-instructions"),
        ],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        cwd="/",
        check=False,
        **server.owner,
    )
    assert made.returncode == 0, made.stderr


def _owner() -> dict[str, Any]:
    """A user who is not root, for a server that refuses to be."""
    if os.getuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": found.pw_uid, "group": found.pw_gid, "extra_groups": []}
    raise AssertionError("root has no other user to run PostgreSQL as")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
