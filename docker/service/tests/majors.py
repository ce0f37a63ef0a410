"""Tasks of a database whose major version changes (test/vendors/majorVersion.test.ts).

python -m tests.majors fill|draw DATABASE_URL
"""

import asyncio
import sys

from core.database import create_engine, migrate
from core.schema import OPERATOR_KEY_ID, Status
from core.settings import Settings
from tasks.parameters import Parameters
from tasks.store import Claim, TaskStore
from tasks.task import StoredImage, Task

TASKS = 500


async def main(action: str, url: str) -> None:
    settings = Settings(database_url=url)
    engine = create_engine(settings)
    await migrate(engine)
    await {"fill": fill, "draw": draw}[action](TaskStore(engine, settings))
    await engine.dispose()


async def fill(store: TaskStore) -> None:
    """Half of them wait; others were drawn, or have failed."""
    for number in range(TASKS):
        await submit(store, f"“Straße” №{number}: a 🐈,\n\tand \\N")
    for number in range(TASKS // 2):
        task = await store.claim("worker")
        assert task
        if number % 2:
            await succeed(store, task)
        else:
            await store.fail(Claim(task.id, task.attempt), "out_of_memory", "no memory")


async def draw(store: TaskStore) -> None:
    """Draws what waits, and what is accepted now."""
    last = await submit(store, "the last one")
    drawn = 0
    while task := await store.claim("worker"):
        await succeed(store, task)
        drawn += 1
    found = await store.get(last.id, key_id=OPERATOR_KEY_ID)
    assert found
    assert found.status is Status.SUCCEEDED
    print(f"drawn: {drawn}")


async def submit(store: TaskStore, prompt: str) -> Task:
    parameters = Parameters(prompt=prompt, seed=7)
    task = await store.submit(parameters, key_id=OPERATOR_KEY_ID, request_id="request")
    assert task
    return task


async def succeed(store: TaskStore, task: Task) -> None:
    picture = StoredImage(
        object_key=f"outputs/{task.id}/1/0.png", seed=7, format="png", sha256="00" * 32
    )
    assert await store.succeed(Claim(task.id, task.attempt), [picture])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
