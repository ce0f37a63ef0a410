"""Hands the broker's events to those that wait for them."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from uuid import UUID

from cachetools import LRUCache

from core.schema import Status
from tasks.broker import Broker, Event

log = logging.getLogger(__name__)


class EventHub:
    def __init__(self, broker: Broker, statuses: Collection[Status] = tuple(Status)) -> None:
        self._broker = broker
        self._statuses = statuses
        self._listeners: defaultdict[UUID, set[asyncio.Queue[Event]]] = defaultdict(set)
        # A task can be done before anyone has begun to listen.
        self._recent: LRUCache[UUID, Event] = LRUCache(10_000)

    async def run(self) -> None:
        while True:
            try:
                async with self._broker.subscribe(self._statuses) as events:
                    async for event in events:
                        if event.partial_image is None:
                            self._recent[event.task_id] = event
                        for listener in self._listeners.get(event.task_id, ()):
                            listener.put_nowait(event)
            except Exception as error:
                log.warning("events: %r", error)
                await asyncio.sleep(1)

    def latest(self, task_id: UUID) -> Event | None:
        return self._recent.get(task_id)

    @contextmanager
    def listen(self, task_id: UUID) -> Iterator[asyncio.Queue[Event]]:
        listener: asyncio.Queue[Event] = asyncio.Queue()
        self._listeners[task_id].add(listener)
        if task_id in self._recent:
            listener.put_nowait(self._recent[task_id])
        try:
            yield listener
        finally:
            self._listeners[task_id].discard(listener)
            if not self._listeners[task_id]:
                del self._listeners[task_id]
