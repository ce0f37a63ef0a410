"""Whether this pod can answer."""

import asyncio
import contextlib

from tasks.broker import Broker
from tasks.store import TaskStore


class Readiness:
    """Ready once both stores have answered, which shows that this pod is configured rightly. From
    then on it answers without them, too: a pod that left the Service because a store is away, as
    all would at once, could not even say so."""

    def __init__(self, store: TaskStore, broker: Broker) -> None:
        self._store = store
        self._broker = broker
        self._answered = False

    async def __call__(self) -> bool:
        if not self._answered:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(3):
                    await asyncio.gather(self._store.ping(), self._broker.ping())
                self._answered = True
        return self._answered
