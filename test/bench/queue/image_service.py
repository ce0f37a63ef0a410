"""The service's own way from an accepted task to a ticket in the queue."""

import uvloop

from core.database import create_engine
from core.schema import OPERATOR_KEY_ID
from core.settings import Settings
from load import drive
from tasks.parameters import Parameters
from tasks.redis_broker import RedisBroker
from tasks.store import TaskStore

PARAMETERS = Parameters(prompt="a cat", width=256, height=256, steps=1, seed=1)


async def main() -> None:
    settings = Settings()
    assert settings.redis_url is not None
    store = TaskStore(create_engine(settings), settings)
    broker = RedisBroker(settings.redis_url)

    async def submit() -> None:
        task = await store.submit(PARAMETERS, key_id=OPERATOR_KEY_ID, request_id="bench")
        assert task is not None
        await broker.put([task.id])

    await drive(submit)


if __name__ == "__main__":
    uvloop.run(main())
