"""Tells those who asked for it that their task has ended, as Standard Webhooks has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
import json
import logging
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import httpcore
from standardwebhooks import Webhook

from api.guarded_client import GuardedClient, Refused
from api.views import task_view
from core.settings import Settings
from tasks.store import TaskStore
from tasks.task import Task
from tasks.webhooks import Delivery, WebhookStore

log = logging.getLogger(__name__)

DELAYS: Final = (5, 60, 300, 1800, 7200, 18_000, 36_000, 50_400)
"""Seconds between two attempts, a little more or less; after the last it is given up. About those
of the specification, for a day."""

_AT_ONCE = 50
_GONE = 410
"""The receiver wants nothing more, says the specification."""


class Messenger:
    """Runs in each api; they don't disturb each other."""

    def __init__(
        self,
        webhooks: WebhookStore,
        store: TaskStore,
        settings: Settings,
        delays: Sequence[float] = DELAYS,
    ) -> None:
        assert settings.webhook_secret is not None
        self._webhooks = webhooks
        self._store = store
        self._seconds = settings.relay_seconds
        self._delays = delays
        self._signer = Webhook(settings.webhook_secret.get_secret_value())
        self._client = GuardedClient(settings.webhook_networks)

    async def run(self) -> None:
        telling: set[asyncio.Task[None]] = set()
        try:
            while True:
                claimed = await self._claim(_AT_ONCE - len(telling))
                for delivery in claimed:
                    task = asyncio.create_task(self._deliver(delivery))
                    telling.add(task)
                    task.add_done_callback(telling.discard)
                if len(telling) == _AT_ONCE:
                    await asyncio.wait(telling, return_when=asyncio.FIRST_COMPLETED)
                elif not claimed:
                    await asyncio.sleep(self._seconds)
                else:
                    await asyncio.sleep(0)
        finally:
            for task in telling:
                task.cancel()
            await asyncio.gather(*telling, return_exceptions=True)
            await self._client.close()

    async def _claim(self, limit: int) -> list[Delivery]:
        try:
            return await self._webhooks.claim(limit)
        except Exception as error:
            log.warning("webhooks: %r", error)
            return []

    async def _deliver(self, delivery: Delivery) -> None:
        try:
            task = await self._store.get(delivery.task_id, key_id=None)
            assert task is not None
            delivered, outcome, final = await self._tell(delivery, task)
            if delivered:
                await self._webhooks.delivered(delivery, outcome)
            else:
                again_in = None if final else self._delay(delivery.tries)
                await self._webhooks.failed(delivery, outcome, again_in)
        except Exception as error:  # its lease ends, and another tries
            log.warning("webhook: %r", error, extra={"task_id": str(delivery.task_id)})

    async def _tell(self, delivery: Delivery, task: Task) -> tuple[bool, str, bool]:
        """Whether it was taken; how that went, in a word; whether that is all there will be."""
        body = message(task)
        try:
            status = await self._client.post(delivery.url, self._headers(task, body), body)
        except Refused as error:
            return False, str(error), True
        except (httpcore.UnsupportedProtocol, httpcore.LocalProtocolError) as error:
            return False, f"{type(error).__name__}: {error}", True
        except Exception as error:
            return False, f"{type(error).__name__}: {error}"[:500], False
        return 200 <= status < 300, str(status), status == _GONE

    def _headers(self, task: Task, body: bytes) -> dict[str, str]:
        # The same in each attempt, by which a receiver knows it again.
        name, now = f"{task.id}-{task.status}", datetime.now(UTC)
        return {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(name, now, body.decode()),
        }

    def _delay(self, tries: int) -> float | None:
        if tries > len(self._delays):
            return None
        return self._delays[tries - 1] * random.uniform(0.8, 1.2)  # noqa: S311


def message(task: Task) -> bytes:
    """The body, which is the same in each attempt."""
    assert task.finished_at is not None
    told = {
        "type": f"task.{task.status}",
        "timestamp": task.finished_at.isoformat(),
        "data": task_view(task).model_dump(mode="json"),
    }
    return json.dumps(told).encode()
