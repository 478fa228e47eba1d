"""A wire between a client and a server that can freeze or break."""

import asyncio
from contextlib import asynccontextmanager


class _End(asyncio.Protocol):
    """One end of a connection: what it receives, its other end sends."""

    def __init__(self, relay):
        self._relay = relay
        self.other = None
        self.transport = None
        self.held = []

    def connection_made(self, transport):
        self.transport = transport
        self._relay.ends.add(self)
        if self.other is None:
            self._relay.connecting(self)

    def data_received(self, data):
        if self.other is None or self._relay.frozen:
            self.held.append(data)
        else:
            self.other.transport.write(data)

    def connection_lost(self, exc):
        self._relay.ends.discard(self)
        if self.other is not None:
            self.other.transport.abort()


class Relay:
    """Passes bytes on both ways, while it is not frozen."""

    def __init__(self, port, *, delay_s):
        self._port = port
        self._delay_s = delay_s
        self._tasks = set()
        self.address = ""
        self.frozen = False
        """Whether connections stay open and nothing passes, as with a stopped process."""
        self.ends = set()

    def connecting(self, front):
        task = asyncio.ensure_future(self._connect(front))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, front):
        await asyncio.sleep(self._delay_s)
        back = _End(self)
        back.other = front
        try:
            await asyncio.get_running_loop().create_connection(
                lambda: back, "127.0.0.1", self._port
            )
        except OSError:
            front.transport.abort()
            return
        front.other = back
        for data in front.held:
            back.transport.write(data)
        if front.transport.is_closing():
            back.transport.abort()

    def cut(self):
        """Break all connections; new ones are taken."""
        for end in self.ends:
            end.transport.abort()

    async def ended(self):
        """Wait until nothing is left."""
        async with asyncio.timeout(5):
            while self.ends or self._tasks:
                self.cut()
                await asyncio.sleep(0.01)


@asynccontextmanager
async def relayed(port, *, delay_s=0.0):
    relay = Relay(port, delay_s=delay_s)
    server = await asyncio.get_running_loop().create_server(
        lambda: _End(relay), host="127.0.0.1", port=0
    )
    relay.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield relay
    finally:
        await asyncio.sleep(0.05)  # or asyncio leaks the connection that it is accepting
        server.close()
        await relay.ended()
