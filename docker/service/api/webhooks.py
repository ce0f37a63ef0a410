"""Tells those who asked for it that their task has ended, as Standard Webhooks has it.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from standardwebhooks import Webhook

from api.courier import DELAYS, Courier, Outcome, attempt
from api.guarded_client import GuardedClient
from api.views import task_view
from core.settings import Settings
from tasks.store import TaskStore
from tasks.task import Task
from tasks.webhooks import Delivery, WebhookStore

_AT_ONCE = 50
_SECONDS = 15
_GONE = 410
"""The receiver wants nothing more, says the specification."""


class Messenger(Courier[Delivery]):
    def __init__(
        self,
        webhooks: WebhookStore,
        store: TaskStore,
        settings: Settings,
        delays: Sequence[float] = DELAYS,
    ) -> None:
        assert settings.webhook_secret is not None
        super().__init__(webhooks, _AT_ONCE, settings.relay_seconds, delays)
        self._store = store
        self._signer = Webhook(settings.webhook_secret.get_secret_value())
        self._client = GuardedClient(settings.private_networks)

    async def close(self) -> None:
        await self._client.close()

    async def bring(self, delivery: Delivery) -> Outcome:
        task = await self._store.get(delivery.task_id, key_id=None)
        assert task is not None
        body = message(task)
        sent = self._client.send(
            "POST", delivery.url, self._headers(task, body), body, seconds=_SECONDS
        )
        return await attempt(sent, final=lambda status: status == _GONE)

    def _headers(self, task: Task, body: bytes) -> dict[str, str]:
        # The same in each attempt, by which a receiver knows it again.
        name, now = f"{task.id}-{task.status}", datetime.now(UTC)
        return {
            "Content-Type": "application/json",
            "webhook-id": name,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._signer.sign(name, now, body.decode()),
        }


def message(task: Task) -> bytes:
    """The body, which is the same in each attempt."""
    assert task.finished_at is not None
    told = {
        "type": f"task.{task.status}",
        "timestamp": task.finished_at.isoformat(),
        "data": task_view(task).model_dump(mode="json"),
    }
    return json.dumps(told).encode()
