"""Makes good what got lost between the store and the queue. Every process runs one;
they don't disturb each other."""

import asyncio
import logging

from tasks.queue import Event, Queue
from tasks.settings import Settings
from tasks.store import TaskStore

log = logging.getLogger(__name__)

_BATCH = 1000


class Relay:
    def __init__(self, store: TaskStore, queue: Queue, settings: Settings) -> None:
        self._store = store
        self._queue = queue
        self._settings = settings

    async def run(self) -> None:
        while True:
            try:
                await self.tick()
            except Exception as error:
                log.warning("relay: %r", error)
            await asyncio.sleep(self._settings.relay_seconds)

    async def tick(self) -> None:
        for task in await self._store.requeue_expired() + await self._store.fail_overdue():
            log.warning(
                "task taken back",
                extra={"task_id": str(task.id), "status": task.status, "error": task.error_code},
            )
            if task.status.final:
                await self._queue.publish(Event(task.id, task.status))
        await self._put_missing_tickets()

    async def _put_missing_tickets(self) -> None:
        """As many tickets as queued tasks. A ticket too many costs one claim that finds nothing."""
        queued = await self._store.queued_ids(_BATCH)
        missing = len(queued) - await self._queue.waiting()
        if missing > 0:
            await self._queue.put(queued[:missing])
