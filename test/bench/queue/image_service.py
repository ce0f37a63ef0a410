"""The service's own way from an accepted task to a ticket in the queue."""

import uvloop

from load import drive
from tasks.database import create_engine
from tasks.parameters import Parameters
from tasks.redis_queue import RedisQueue
from tasks.schema import OPERATOR_KEY_ID
from tasks.settings import Settings
from tasks.store import TaskStore

PARAMETERS = Parameters(prompt="a cat", width=256, height=256, steps=1, seed=1)


async def main() -> None:
    settings = Settings()
    assert settings.redis_url is not None
    store = TaskStore(create_engine(settings), settings)
    queue = RedisQueue(settings.redis_url)

    async def submit() -> None:
        task = await store.submit(PARAMETERS, key_id=OPERATOR_KEY_ID, request_id="bench")
        assert task is not None
        await queue.put([task.id])

    await drive(submit)


if __name__ == "__main__":
    uvloop.run(main())
