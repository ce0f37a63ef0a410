"""The broker on Redis: a stream of task ids for tickets, a channel for each status's events."""

import time
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from opentelemetry.trace import SpanKind
from redis.exceptions import ResponseError

from core import tracing
from core.coalescer import Coalescer
from core.redis_client import connect
from core.schema import Status
from tasks.broker import ANNOUNCE_SECONDS, Event, Start, Ticket

STREAM = "tasks"
GROUP = "workers"
WORKERS = "workers-seen"
AWAITED = "worker-awaited"
"""Since when a queue has waited for its first worker."""
START = "worker-start"
"""How long that took the last time."""
BLOCK_SECONDS = 5
_AWAITED_SECONDS = 3600
"""Who still waits has asked again by then."""

# https://redis.io/docs/latest/commands/info/
_WRITES = ("aof_last_write_status", "aof_last_bgrewrite_status", "rdb_last_bgsave_status")


@dataclass(frozen=True)
class RedisHealth:
    memory: int
    """Bytes."""
    memory_limit: int
    """At which it refuses to write; 0: there is none."""
    persistence_fails: bool
    """Whether its last try to write to its volume failed."""


class RedisBroker:
    def __init__(self, url: str, *, abandoned_seconds: float = 15) -> None:
        self._redis = connect(url)
        # Blocking reads need a connection that is allowed to be silent.
        self._blocking = connect(url, patience=BLOCK_SECONDS + 2)
        self._put = Coalescer(self._put_all)
        self._abandoned_ms = int(abandoned_seconds * 1000)

    async def put(self, task_ids: Sequence[UUID], queue: str | None = None) -> None:
        with tracing.span("send ticket", SpanKind.PRODUCER):
            await self._put((task_ids, queue))

    async def _put_all(self, calls: list[tuple[Sequence[UUID], str | None]]) -> Sequence[None]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for task_ids, queue in calls:
                for task_id in task_ids:
                    pipeline.xadd(_of(queue, STREAM), {"task_id": str(task_id)})
            await pipeline.execute()
        return [None] * len(calls)

    async def take(
        self,
        worker_id: str,
        timeout: float,  # noqa: ASYNC109
        queue: str | None = None,
    ) -> Ticket | None:
        async def read() -> Any:
            return await self._blocking.xreadgroup(
                GROUP,
                worker_id,
                {_of(queue, STREAM): ">"},
                count=1,
                block=int(min(timeout, BLOCK_SECONDS) * 1000),
            )

        try:
            streams = await read()
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._create_group(queue)
            streams = await read()
        for _, entries in _pairs(streams):
            for entry, fields in entries:
                return Ticket(entry, UUID(fields["task_id"]), queue)
        return None

    async def _create_group(self, queue: str | None) -> None:
        try:
            await self._redis.xgroup_create(_of(queue, STREAM), GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def acknowledge(self, ticket: Ticket) -> None:
        stream = _of(ticket.queue, STREAM)
        async with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.xack(stream, GROUP, ticket.entry)
            pipeline.xdel(stream, ticket.entry)
            await pipeline.execute()

    async def waiting(self, queue: str | None = None) -> int:
        stream = _of(queue, STREAM)
        try:
            pending = await self._redis.xpending(stream, GROUP)
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
            await self._create_group(queue)
            return int(await self._redis.xlen(stream))
        if pending["pending"]:
            await self._drop_abandoned(queue)
        return int(await self._redis.xlen(stream)) - int(pending["pending"])

    async def _drop_abandoned(self, queue: str | None) -> None:
        """Forgets tickets whose worker died between taking and claiming."""
        _, entries, _ = await self._redis.xautoclaim(
            _of(queue, STREAM), GROUP, "relay", min_idle_time=self._abandoned_ms, justid=False
        )
        for entry, fields in entries:
            await self.acknowledge(Ticket(entry, UUID(fields["task_id"]), queue))

    async def announce(self, worker_id: str, queue: str | None = None) -> None:
        now, workers = time.time(), _of(queue, WORKERS)
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.zadd(workers, {worker_id: now})
            pipeline.zremrangebyscore(workers, 0, now - 3 * ANNOUNCE_SECONDS)
            pipeline.getdel(_of(queue, AWAITED))
            *_, awaited = await pipeline.execute()
        if awaited is not None:
            await self._redis.set(_of(queue, START), now - float(awaited))

    async def withdraw(self, worker_id: str, queue: str | None = None) -> None:
        await self._redis.zrem(_of(queue, WORKERS), worker_id)

    async def workers(self, queue: str | None = None) -> set[str]:
        recent = time.time() - 3 * ANNOUNCE_SECONDS
        names = await self._redis.zrangebyscore(_of(queue, WORKERS), recent, "+inf")
        return {str(name) for name in names}

    async def start(self, queue: str | None = None) -> Start | None:
        if await self.workers(queue):
            return None
        now, awaited = time.time(), _of(queue, AWAITED)
        async with self._redis.pipeline(transaction=False) as pipeline:
            pipeline.set(awaited, now, nx=True, ex=_AWAITED_SECONDS)
            pipeline.get(awaited)
            pipeline.get(_of(queue, START))
            _, since, usual = await pipeline.execute()
        return Start(now - float(since or now), float(usual) if usual else None)

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

    async def health(self) -> RedisHealth:
        info = await self._redis.info()
        fails = any(info.get(write, "ok") != "ok" for write in _WRITES)
        return RedisHealth(info["used_memory"], info["maxmemory"], fails)

    async def close(self) -> None:
        await self._redis.aclose()
        await self._blocking.aclose()


def _of(queue: str | None, key: str) -> str:
    return key if queue is None else f"{key}:{queue}"


def _channel(status: Status) -> str:
    return f"task-events:{status}"


def _pairs(streams: Any) -> Any:
    return streams.items() if isinstance(streams, dict) else streams
