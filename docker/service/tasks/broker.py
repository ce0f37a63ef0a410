"""Wakes workers and carries events. It may lose everything at any moment: the store decides."""

import json
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass
from typing import Any, Protocol, Self
from uuid import UUID

from core.schema import Status


@dataclass(frozen=True)
class PartialImage:
    """How a picture looks while it is drawn."""

    n: int
    """Of the task's pictures."""
    number: int
    """Of the picture's previews."""
    jpeg: str
    """In base64: small, an eighth of the picture's size. Only who listens gets it."""


@dataclass(frozen=True)
class Event:
    """A task reached a status, or a denoising step while it runs."""

    task_id: UUID
    status: Status
    step: int = 0
    partial_image: PartialImage | None = None

    def to_json(self) -> str:
        return json.dumps(asdict(self), default=str)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        values: dict[str, Any] = json.loads(text)
        partial = values.get("partial_image")  # older workers know of none
        return cls(
            UUID(values["task_id"]),
            Status(values["status"]),
            values["step"],
            PartialImage(**partial) if partial else None,
        )


@dataclass(frozen=True)
class Ticket:
    """One wake-up: some task is waiting. Which one to run is the store's choice."""

    entry: str
    task_id: UUID
    queue: str | None = None


ANNOUNCE_SECONDS = 5


@dataclass(frozen=True)
class Start:
    """Of a queue's first worker, which tasks wait for."""

    for_seconds: float
    """Since somebody first waited for it."""
    usual_seconds: float | None
    """How long the last one took; None before the first."""


class Broker(Protocol):
    """Tasks of each model have a queue of their own, named like `Task.model`."""

    async def put(self, task_ids: Sequence[UUID], queue: str | None = None) -> None: ...

    async def take(
        self,
        worker_id: str,
        timeout: float,  # noqa: ASYNC109
        queue: str | None = None,
    ) -> Ticket | None:
        """The next ticket, or None after the timeout."""

    async def acknowledge(self, ticket: Ticket) -> None: ...

    async def waiting(self, queue: str | None = None) -> int:
        """How many tickets no worker has taken."""

    async def announce(self, worker_id: str, queue: str | None = None) -> None:
        """Says that a worker is there; to be repeated every few seconds."""

    async def withdraw(self, worker_id: str, queue: str | None = None) -> None:
        """Says that it is there no more."""

    async def workers(self, queue: str | None = None) -> set[str]:
        """Those that announced themselves lately."""

    async def start(self, queue: str | None = None) -> Start | None:
        """To be asked when a task waits: None when a worker is there for it."""

    async def publish(self, event: Event) -> None: ...

    def subscribe(
        self, statuses: Collection[Status]
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """The events of tasks that reach one of these."""

    async def ping(self) -> None: ...

    async def close(self) -> None: ...
