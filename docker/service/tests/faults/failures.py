"""Tasks that fail whoever draws them, and a worker that fails whatever it draws."""

import asyncio

from tests.faults.checker import Verdict, check
from tests.faults.scenario import Outcome, row, running
from tests.faults.system import System


async def poison_workers(trials: int) -> Outcome:
    async with running(workers=2) as (it, clients):
        broken: list[str] = []
        healthy = list(clients.history)
        for _ in range(trials):
            for prompt, attempts in (("fail", 3), ("poison", 3), ("out of memory", 2)):
                starts = _worker_starts(it)
                record = await clients.submit(prompt)
                status = await clients.follow(record)
                attempt = (await row(it, record))["attempt"]
                if status != "failed" or attempt != attempts:
                    broken.append(f"{prompt}: {status} after {attempt} attempts")
                replaced = 3 if prompt == "poison" else 0
                await asyncio.sleep(0.5)  # the last process ends after its task
                if _worker_starts(it) - starts != replaced:
                    broken.append(f"{prompt}: {_worker_starts(it) - starts} workers replaced")
            healthy.append(await clients.submit())
            await clients.follow(healthy[-1])
        poisoned = [record for record in clients.history if record not in healthy]
        verdict = await check(it, healthy)
        dead = await check(it, poisoned, "failed")
        known = {record.task_id for record in clients.history}
        strays = [d for d in verdict.duplicated + dead.duplicated if d.split(":")[0] not in known]
        verdict = Verdict(
            verdict.accepted + dead.accepted,
            verdict.lost + dead.lost,
            strays,
            verdict.swapped + dead.swapped,
        )
        return Outcome(trials, verdict, broken=broken)


async def sicken_worker(trials: int) -> Outcome:
    """One of four workers fails whatever it takes."""
    async with running(workers=4, worker_crash="sick", crashing_workers=1) as (it, clients):
        records = await asyncio.gather(*(clients.submit("slow 0.05") for _ in range(15 * trials)))
        await asyncio.gather(*map(clients.follow, records))
        broken = [] if it.workers[0].starts > 1 else ["the sick worker went on"]
        return Outcome(trials, await check(it, clients.history), broken=broken)


async def sicken_worker_on_trial(trials: int) -> Outcome:
    """It fails each task that it takes; none of them fails, and each was charged one attempt."""
    sick = {"worker_crash": "sick", "crashing_workers": 1}
    async with running(workers=3, canary_share=0.5, **sick) as (it, clients):
        records = await asyncio.gather(*(clients.submit() for _ in range(10 * trials)))
        await asyncio.gather(*map(clients.follow, records))
        charged = [(await row(it, record))["attempts_left"] for record in records]
        broken = [f"{left} attempts are left" for left in charged if left < 2]
        if 2 not in charged:
            broken.append("the worker on trial took nothing")
        return Outcome(trials, await check(it, clients.history), broken=broken)


def _worker_starts(it: System) -> int:
    return sum(worker.starts for worker in it.workers)
