"""A TCP proxy that goes silent: it keeps connections open, takes what is sent, and drops it."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 65536


class Proxy:
    """Passes bytes on until it is told to be silent; new connections are then taken, too."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._pairs: dict[socket.socket, socket.socket] = {}
        self._clients: set[socket.socket] = set()
        self.silent = False
        """Whether it drops what both sides say."""
        self.mute = False
        """Whether it drops what the server says."""
        self._stopped = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._listener.getsockname()[1]}"

    @property
    def open(self) -> int:
        """Connections that clients hold."""
        return len(self._pairs) // 2

    def close(self) -> None:
        self._stopped = True
        self._thread.join(5)
        for each in (self._listener, *self._pairs):
            each.close()

    def _run(self) -> None:
        while not self._stopped:
            ready, _, _ = select.select([self._listener, *self._pairs], [], [], 0.02)
            for each in ready:
                if each is self._listener:
                    self._accept()
                elif each in self._pairs:
                    self._pass_on(each)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(self._target, timeout=1)
        except OSError:
            client.close()
            return
        self._pairs |= {client: server, server: client}
        self._clients.add(client)

    def _pass_on(self, source: socket.socket) -> None:
        try:
            chunk = source.recv(CHUNK)
            if chunk and not self._drops(source):
                self._pairs[source].sendall(chunk)
        except OSError:
            chunk = b""
        if not chunk:
            self._hang_up(source)

    def _drops(self, source: socket.socket) -> bool:
        return self.silent or (self.mute and source not in self._clients)

    def _hang_up(self, source: socket.socket) -> None:
        other = self._pairs.pop(source)
        self._pairs.pop(other, None)
        self._clients -= {source, other}
        for each in (source, other):
            with suppress(OSError):
                each.close()


@contextmanager
def proxying(port: int) -> Iterator[Proxy]:
    """A proxy to a port of 127.0.0.1."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
