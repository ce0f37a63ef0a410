"""Keeps the queue within its bound, and tells those outside when to come back."""

import math
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from api.problems import NO_RETRY, Problem
from core.keys import Key, KeyStore
from core.settings import Settings
from tasks.parameters import Parameters
from tasks.store import QueueCounts, TaskStore

_COUNTS_SECONDS = 1
_LONGEST_RETRY = 300


class Admission:
    def __init__(self, store: TaskStore, keys: KeyStore, settings: Settings) -> None:
        self._store = store
        self._keys = keys
        self._limit = settings.queue_limit
        self._counts = QueueCounts(0, 0, 0)
        self._counted_at = -math.inf
        self._uncounted = 0
        """Accepted tasks that `_counts` may lack."""
        self._recorded = 0
        """Of those, how many are on record by now, or never will be."""

    @asynccontextmanager
    async def room(self, key: Key, parameters: Parameters) -> AsyncIterator[None]:
        """For the block that accepts a task. Raises 429 when the queue is full or the key's quota
        is used up; the quota is exact over all replicas."""
        await self._check_queue()
        async with AsyncExitStack() as stack:
            if key.images_per_day is not None:
                used = await stack.enter_async_context(self._keys.images_in_a_day(key))
                _check_quota(key.images_per_day, used, parameters.num_images)
            self._uncounted += 1
            try:
                yield
            finally:
                self._recorded += 1

    async def _check_queue(self) -> None:
        counts = await self._current()
        excess = counts.queued + self._uncounted + 1 - self._limit
        if excess > 0:
            per_second = max(counts.finished_last_minute, 1) / 60
            seconds = min(math.ceil(excess / per_second), _LONGEST_RETRY)
            raise Problem(
                429, "queue-full", "The queue is full.", headers={"Retry-After": str(seconds)}
            )

    async def _current(self) -> QueueCounts:
        # Counting once a second is enough: in between, what came in here is added.
        if time.monotonic() - self._counted_at > _COUNTS_SECONDS:
            self._counted_at = math.inf  # one at a time
            # Those that are not on record yet, and those that come meanwhile, it doesn't count.
            recorded = self._recorded
            try:
                self._counts = await self._store.counts()
                self._uncounted -= recorded
                self._recorded -= recorded
            finally:
                self._counted_at = time.monotonic()
        return self._counts


def _check_quota(quota: int, used: int, wanted: int) -> None:
    if used + wanted > quota:
        detail = f"The key's quota of {quota} images a day leaves {max(quota - used, 0)}."
        raise Problem(429, "quota-exceeded", detail, headers=NO_RETRY | {"Retry-After": "3600"})
