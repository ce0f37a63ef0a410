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
_REFUSAL_COUNTS_SECONDS = 0.1
"""Nobody is refused by an older count: workers make room that it doesn't know of."""
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
        counts = await self._current(_COUNTS_SECONDS)
        if self._excess(counts) > 0:
            counts = await self._current(_REFUSAL_COUNTS_SECONDS)
        if (excess := self._excess(counts)) > 0:
            per_second = max(counts.finished_last_minute, 1) / 60
            seconds = min(math.ceil(excess / per_second), _LONGEST_RETRY)
            raise Problem(
                429, "queue-full", "The queue is full.", headers={"Retry-After": str(seconds)}
            )

    def _excess(self, counts: QueueCounts) -> int:
        """By how many one more is too many; what came in here since the count is added."""
        return counts.queued + self._uncounted + 1 - self._limit

    async def _current(self, oldest_seconds: float) -> QueueCounts:
        if time.monotonic() - self._counted_at > oldest_seconds:
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
