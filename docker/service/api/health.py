"""Probes: whether the process lives, and whether it can answer."""

import asyncio
import contextlib

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from api.problems import store_down
from api.services import Provided
from tasks.queue import Queue
from tasks.store import TaskStore

router = APIRouter(include_in_schema=False)


class Readiness:
    """Ready once both stores have answered, which shows that this pod is configured rightly. From
    then on it answers without them, too: a pod that left the Service because a store is away, as
    all would at once, could not even say so."""

    def __init__(self, store: TaskStore, queue: Queue) -> None:
        self._store = store
        self._queue = queue
        self._answered = False

    async def __call__(self) -> bool:
        if not self._answered:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(3):
                    await asyncio.gather(self._store.ping(), self._queue.ping())
                self._answered = True
        return self._answered


@router.get("/healthz")
async def healthz() -> PlainTextResponse:
    return PlainTextResponse("ok\n")


@router.get("/readyz")
async def readyz(services: Provided) -> PlainTextResponse:
    if not await services.ready():
        raise store_down()
    return PlainTextResponse("ready\n")
