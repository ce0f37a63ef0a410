"""Workers that Kubernetes takes away under load: a scale-in to one and back, then nodes drained."""

import asyncio
import json
from functools import partial

from tests.faults.checker import check
from tests.faults.clients import Clients, Record
from tests.faults.scenario import Outcome, row, running, until, worker_of
from tests.faults.system import Member, System

LONG = "slow 0.1"
LONG_STEPS = 7
LONG_IMAGES = 10
"""So many that none is done before its worker has ended, however slow the machine."""
SHORT_TASKS = 16


async def take_workers_away(trials: int) -> Outcome:
    async with running(workers=4) as (it, clients):
        broken: list[str] = []
        for number in range(trials):
            long = [await _submit_long(clients) for _ in range(2)]
            drawing = [await worker_of(it, record) for record in long]
            submissions = [clients.submit("slow 0.05") for _ in range(SHORT_TASKS)]
            short = await asyncio.gather(*submissions)
            await until(partial(_have_one_image, it, long))
            if number % 2 == 0:
                await _scale_in(it, drawing)
            else:
                await _drain(it, drawing)
            for record in [*long, *short]:
                await clients.follow(record)
            for record in long:
                broken += await _complaints(it, record)
        return Outcome(trials, await check(it, clients.history), broken=broken)


async def _submit_long(clients: Clients) -> Record:
    return await clients.submit(LONG, steps=LONG_STEPS, num_images=LONG_IMAGES)


async def _have_one_image(it: System, records: list[Record]) -> bool:
    return all([(await row(it, record))["images"] is not None for record in records])


async def _scale_in(it: System, drawing: list[Member]) -> None:
    """From four to one and back. The one that stays draws no long task."""
    stays = next(worker for worker in it.workers if worker not in drawing)
    others = [worker for worker in it.workers if worker is not stays]
    await asyncio.gather(*(worker.leave() for worker in others))
    await asyncio.sleep(0.5)
    for worker in others:
        worker.come_back()


async def _drain(it: System, drawing: list[Member]) -> None:
    """Each worker in its turn, as nodes are drained; those with the long tasks first."""
    for worker in sorted(it.workers, key=lambda worker: worker not in drawing):
        await worker.leave()
        worker.come_back()


async def _complaints(it: System, record: Record) -> list[str]:
    """What was finished is kept, and who was taken away charged no attempt."""
    task = await row(it, record)
    keys = [image["object_key"] for image in json.loads(task["images"])]
    attempts = [int(key.split("/")[-2]) for key in keys]
    complaints = []
    if attempts != sorted(attempts) or attempts[0] != 1 or attempts[-1] == 1:
        complaints.append(f"{record.task_id}: its images are of the attempts {attempts}")
    if task["attempts_left"] != 3:
        complaints.append(f"{record.task_id}: {task['attempts_left']} attempts are left")
    return complaints
