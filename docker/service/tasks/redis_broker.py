"""The broker on Redis: a stream of task ids for tickets, a channel for each status's events."""

import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from redis.exceptions import ResponseError

from core.coalescer import Coalescer
from core.redis_client import connect
from core.schema import Status
from tasks.broker import ANNOUNCE_SECONDS, Event, Ticket

STREAM = "tasks"
GROUP = "workers"
WORKERS = "workers-seen"
BLOCK_SECONDS = 5


class RedisBroker:
    def __init__(self, url: str, *, abandoned_seconds: float = 15) -> None:
        self._redis = connect(url)
        # Blocking reads need a connection that is allowed to be silent.
        self._blocking = connect(url, patience=BLOCK_SECONDS + 2)
        self._put = Coalescer(self._put_all)
        self._abandoned_ms = int(abandoned_seconds * 1000)

    async def put(self, task_ids: Sequence[UUID]) -> None:
        await self._put(task_ids)

    async def _put_all(self, calls: list[Sequence[UUID]]) -> Sequence[None]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for task_ids in calls:
                for task_id in task_ids:
                    pipeline.xadd(STREAM, {"task_id": str(task_id)})
            await pipeline.execute()
        return [None] * len(calls)

    async def take(self, worker_id: str, timeout: float) -> Ticket | None:  # noqa: ASYNC109
        async def read() -> Any:
            return await self._blocking.xreadgroup(
                GROUP,
                worker_id,
                {STREAM: ">"},
                count=1,
                block=int(min(timeout, BLOCK_SECONDS) * 1000),
            )

        try:
            streams = await read()
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._create_group()
            streams = await read()
        for _, entries in _pairs(streams):
            for entry, fields in entries:
                return Ticket(entry, UUID(fields["task_id"]))
        return None

    async def _create_group(self) -> None:
        try:
            await self._redis.xgroup_create(STREAM, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def acknowledge(self, ticket: Ticket) -> None:
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.xack(STREAM, GROUP, ticket.entry)
            pipeline.xdel(STREAM, ticket.entry)
            await pipeline.execute()

    async def waiting(self) -> int:
        try:
            pending = await self._redis.xpending(STREAM, GROUP)
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._create_group()
            return int(await self._redis.xlen(STREAM))
        if pending["pending"]:
            await self._drop_abandoned()
        return int(await self._redis.xlen(STREAM)) - int(pending["pending"])

    async def _drop_abandoned(self) -> None:
        """Forgets tickets whose worker died between taking and claiming."""
        _, entries, _ = await self._redis.xautoclaim(
            STREAM, GROUP, "relay", min_idle_time=self._abandoned_ms, justid=False
        )
        for entry, fields in entries:
            await self.acknowledge(Ticket(entry, UUID(fields["task_id"])))

    async def announce(self, worker_id: str) -> None:
        now = time.time()
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.zadd(WORKERS, {worker_id: now})
            pipeline.zremrangebyscore(WORKERS, 0, now - 3 * ANNOUNCE_SECONDS)
            await pipeline.execute()

    async def workers(self) -> int:
        recent = time.time() - 3 * ANNOUNCE_SECONDS
        return int(await self._redis.zcount(WORKERS, recent, "+inf"))

    async def publish(self, event: Event) -> None:
        await self._redis.publish(_channel(event.status), event.to_json())

    @asynccontextmanager
    async def subscribe(self, statuses: Collection[Status]) -> AsyncIterator[AsyncIterator[Event]]:
        async with self._redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe(*map(_channel, statuses))

            async def events() -> AsyncIterator[Event]:
                while True:
                    message = await pubsub.get_message(timeout=BLOCK_SECONDS)
                    if message is not None:
                        yield Event.from_json(message["data"])

            yield events()

    async def ping(self) -> None:
        await self._redis.ping()

    async def close(self) -> None:
        await self._redis.aclose()
        await self._blocking.aclose()


def _channel(status: Status) -> str:
    return f"task-events:{status}"


def _pairs(streams: Any) -> Any:
    return streams.items() if isinstance(streams, dict) else streams
