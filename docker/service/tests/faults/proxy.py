"""A TCP proxy that can hold back, delay or swallow what passes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Self


class Proxy:
    def __init__(self, target: int) -> None:
        self._target = target
        self._open = asyncio.Event()
        self._open.set()
        self._delay = 0.0
        self._node = 0
        self.port = 0

    @classmethod
    @asynccontextmanager
    async def before(cls, target: int) -> AsyncIterator[Self]:
        proxy = cls(target)
        server = await asyncio.start_server(proxy._connect, "127.0.0.1", 0)
        proxy.port = server.sockets[0].getsockname()[1]
        try:
            yield proxy
        finally:
            server.close()

    def partition(self) -> None:
        """Packets vanish; connections stay."""
        self._open.clear()

    def vanish(self) -> None:
        """As its node does: who is connected hears nothing any more, not even an end. Who comes
        then waits."""
        self._open.clear()
        self._node += 1

    def delay(self, seconds: float) -> None:
        self._delay = seconds

    def heal(self) -> None:
        self._delay = 0
        self._open.set()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # The event loop cancels these at the end, and would complain about it.
        with suppress(asyncio.CancelledError):
            await self._open.wait()
            try:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            except OSError:
                writer.close()
                return
            await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        node = self._node
        with suppress(OSError):
            while data := await reader.read(65536):
                await self._open.wait()
                if node != self._node:
                    break
                if self._delay:
                    await asyncio.sleep(self._delay)
                writer.write(data)
                await writer.drain()
        if node != self._node:
            await asyncio.sleep(3600)  # longer than any trial
        writer.close()
