"""Clients that leave before their answer: nobody draws for them, or asks the store on."""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from core.schema import Status
from tasks.broker import Broker, Event
from tasks.store import TaskStore
from tasks.task import Task

log = logging.getLogger(__name__)

GRACE_SECONDS: Final = 5
"""A task that is done within them is kept, for whoever looks into the list of tasks."""


class Departures:
    def __init__(self, store: TaskStore, broker: Broker) -> None:
        self._store = store
        self._broker = broker
        self._cancelling: set[asyncio.Task[None]] = set()

    async def cancel(self, task: Task) -> None:
        if await self._store.cancel(task.id, key_id=task.key_id):
            with suppress(Exception):  # the worker finds out at its next heartbeat
                await self._broker.publish(Event(task.id, Status.CANCELLED))

    def left(self, task: Task) -> None:
        """The one client that waited for the task has gone."""
        cancelling = asyncio.create_task(self._cancel_soon(task))
        self._cancelling.add(cancelling)
        cancelling.add_done_callback(self._cancelling.discard)

    async def _cancel_soon(self, task: Task) -> None:
        await asyncio.sleep(GRACE_SECONDS)
        try:
            await self.cancel(task)
        except Exception as error:
            log.warning("a client has left its task: %r", error)

    async def close(self) -> None:
        await asyncio.gather(*self._cancelling)
