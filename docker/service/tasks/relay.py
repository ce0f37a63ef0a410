"""Makes good what got lost between the store and the broker. Every process of the API runs one;
they don't disturb each other. Workers don't: there may be hundreds."""

import asyncio
import logging
import math
import time

from core import metrics
from core.settings import Settings
from tasks.broker import Broker, Event
from tasks.store import TaskStore

log = logging.getLogger(__name__)

_BATCH = 1000


class Relay:
    def __init__(self, store: TaskStore, broker: Broker, settings: Settings) -> None:
        self._store = store
        self._broker = broker
        self._settings = settings
        self._answered_at = -math.inf
        self._answers_since = -math.inf

    async def run(self) -> None:
        while True:
            try:
                await self.tick()
            except Exception as error:
                log.warning("relay: %r", error)
            await asyncio.sleep(self._settings.relay_seconds)

    async def tick(self) -> None:
        late = await self._store.fail_overdue()
        if self._leases_were_renewable():
            lost = await self._store.requeue_expired()
            metrics.ATTEMPTS.labels("worker_lost").inc(len(lost))
            late += lost
        for task in late:
            log.warning(
                "task taken back",
                extra=task.subject | {"status": task.status, "error": task.error_code},
            )
            if task.status.final:
                await self._broker.publish(Event(task.id, task.status))
        await self._put_missing_tickets()

    def _leases_were_renewable(self) -> bool:
        """Nobody can renew a lease while the store is away: once it answers again, workers get a
        whole lease's time for it. A relay that has just begun doesn't know what was before."""
        now, lease = time.monotonic(), self._settings.lease_seconds
        if now - self._answered_at > lease / 2:
            self._answers_since = now
        self._answered_at = now
        return now - self._answers_since >= lease

    async def _put_missing_tickets(self) -> None:
        """As many tickets as queued tasks. A ticket too many costs one claim that finds nothing."""
        for queue, queued in (await self._store.queued_ids(_BATCH)).items():
            missing = len(queued) - await self._broker.waiting(queue)
            if missing > 0:
                await self._broker.put(queued[:missing], queue)
