"""The broker inside one process, for standalone mode."""

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

from core.schema import Status
from tasks.broker import Event, Start, Ticket


class LocalBroker:
    def __init__(self) -> None:
        self._tickets: asyncio.Queue[Ticket] = asyncio.Queue()
        self._workers: set[str] = set()
        self._began = time.monotonic()
        self._subscribers: set[asyncio.Queue[Event]] = set()

    async def put(self, task_ids: Sequence[UUID], queue: str | None = None) -> None:  # noqa: ARG002
        for task_id in task_ids:
            self._tickets.put_nowait(Ticket("", task_id))

    async def take(
        self,
        worker_id: str,  # noqa: ARG002
        timeout: float,  # noqa: ASYNC109
        queue: str | None = None,  # noqa: ARG002
    ) -> Ticket | None:
        try:
            return await asyncio.wait_for(self._tickets.get(), timeout)
        except TimeoutError:
            return None

    async def acknowledge(self, ticket: Ticket) -> None:
        pass

    async def waiting(self, queue: str | None = None) -> int:  # noqa: ARG002
        return self._tickets.qsize()

    async def announce(self, worker_id: str, queue: str | None = None) -> None:  # noqa: ARG002
        self._workers.add(worker_id)

    async def withdraw(self, worker_id: str, queue: str | None = None) -> None:  # noqa: ARG002
        self._workers.discard(worker_id)

    async def workers(self, queue: str | None = None) -> set[str]:  # noqa: ARG002
        return self._workers

    async def start(self, queue: str | None = None) -> Start | None:  # noqa: ARG002
        return None if self._workers else Start(time.monotonic() - self._began, None)

    async def publish(self, event: Event) -> None:
        for subscriber in self._subscribers:
            subscriber.put_nowait(event)

    @asynccontextmanager
    async def subscribe(self, statuses: Collection[Status]) -> AsyncIterator[AsyncIterator[Event]]:
        subscriber: asyncio.Queue[Event] = asyncio.Queue()
        self._subscribers.add(subscriber)

        async def events() -> AsyncIterator[Event]:
            while True:
                event = await subscriber.get()
                if event.status in statuses:
                    yield event

        try:
            yield events()
        finally:
            self._subscribers.discard(subscriber)

    async def ping(self) -> None:
        pass

    async def close(self) -> None:
        pass
