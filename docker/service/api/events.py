"""Hands the queue's events to the requests that wait for them."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from tasks.queue import Event, Queue

log = logging.getLogger(__name__)


class EventHub:
    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._listeners: defaultdict[UUID, set[asyncio.Queue[Event]]] = defaultdict(set)

    async def run(self) -> None:
        while True:
            try:
                async with self._queue.subscribe() as events:
                    async for event in events:
                        for listener in self._listeners.get(event.task_id, ()):
                            listener.put_nowait(event)
            except Exception as error:
                log.warning("events: %r", error)
                await asyncio.sleep(1)

    @contextmanager
    def listen(self, task_id: UUID) -> Iterator[asyncio.Queue[Event]]:
        listener: asyncio.Queue[Event] = asyncio.Queue()
        self._listeners[task_id].add(listener)
        try:
            yield listener
        finally:
            self._listeners[task_id].discard(listener)
            if not self._listeners[task_id]:
                del self._listeners[task_id]
