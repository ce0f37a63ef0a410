"""Brings what an outbox holds to strangers' addresses, until it is taken or given up."""

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar
from uuid import UUID

import httpcore

from api.guarded_client import Refused

log = logging.getLogger(__name__)

DELAYS: Final = (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400)
"""Seconds between two attempts, a little more or less; after the last it is given up. About those
of Standard Webhooks, for a day."""


class Item(Protocol):
    @property
    def task_id(self) -> UUID: ...
    @property
    def tries(self) -> int: ...


Kind = TypeVar("Kind", bound=Item)


class Outbox(Protocol[Kind]):
    async def claim(self, limit: int) -> list[Kind]: ...
    async def delivered(self, item: Kind, outcome: str) -> None: ...
    async def failed(self, item: Kind, outcome: str, again_in: float | None) -> None: ...


@dataclass(frozen=True)
class Outcome:
    delivered: bool
    word: str
    final: bool
    """Whether another attempt would come to the same."""


class Courier(ABC, Generic[Kind]):
    """Runs in each api; they don't disturb each other."""

    def __init__(
        self, outbox: Outbox[Kind], at_once: int, pause: float, delays: Sequence[float]
    ) -> None:
        """@param pause: seconds between two looks for what is due"""
        self._outbox = outbox
        self._at_once = at_once
        self._pause = pause
        self._delays = delays

    @abstractmethod
    async def bring(self, item: Kind) -> Outcome: ...

    @abstractmethod
    async def close(self) -> None: ...

    async def run(self) -> None:
        going: set[asyncio.Task[None]] = set()
        try:
            while True:
                claimed = await self._claim(self._at_once - len(going))
                for item in claimed:
                    task = asyncio.create_task(self._attend(item))
                    going.add(task)
                    task.add_done_callback(going.discard)
                if len(going) == self._at_once:
                    await asyncio.wait(going, return_when=asyncio.FIRST_COMPLETED)
                elif not claimed:
                    await asyncio.sleep(self._pause)
                else:
                    await asyncio.sleep(0)
        finally:
            for task in going:
                task.cancel()
            await asyncio.gather(*going, return_exceptions=True)
            await self.close()

    async def _claim(self, limit: int) -> list[Kind]:
        try:
            return await self._outbox.claim(limit)
        except Exception as error:
            log.warning("outbox: %r", error)
            return []

    async def _attend(self, item: Kind) -> None:
        try:
            outcome = await self.bring(item)
            if outcome.delivered:
                await self._outbox.delivered(item, outcome.word)
            else:
                again_in = None if outcome.final else self._delay(item.tries)
                await self._outbox.failed(item, outcome.word, again_in)
        except Exception as error:  # its lease ends, and another tries
            log.warning("delivery: %r", error, extra={"task_id": str(item.task_id)})

    def _delay(self, tries: int) -> float | None:
        if tries > len(self._delays):
            return None
        return self._delays[tries - 1] * random.uniform(0.8, 1.2)  # noqa: S311


async def attempt(sent: Awaitable[int], final: Callable[[int], bool]) -> Outcome:
    """@param sent: gives the answer's status @param final: of one that does not take it"""
    try:
        status = await sent
    except Refused as error:
        return Outcome(False, str(error), True)
    except (httpcore.UnsupportedProtocol, httpcore.LocalProtocolError) as error:
        return Outcome(False, f"{type(error).__name__}: {error}", True)
    except Exception as error:
        return Outcome(False, f"{type(error).__name__}: {error}"[:500], False)
    return Outcome(200 <= status < 300, str(status), final(status))
