"""How much work there is, in seconds, and how long a task waits for it: as measured."""

import time
from dataclasses import dataclass

from core.outages import is_outage
from core.schema import Status
from core.settings import Settings
from tasks.broker import Broker
from tasks.task import Task
from tasks.workload import Workload

_PACES_SECONDS = 10
"""How long what was measured is kept."""


@dataclass(frozen=True)
class Estimate:
    seconds: float | None
    """Until the task is done; None where that was never measured."""
    worker_starting: bool
    """There is no worker for it yet: its start is a part of the wait."""


class Estimates:
    def __init__(self, workload: Workload, broker: Broker, settings: Settings) -> None:
        self._workload = workload
        self._broker = broker
        self._unmeasured = settings.picture_seconds
        self._paces: dict[str | None, float] = {}
        self._measured_at = -float("inf")

    async def pace(self, model: str | None) -> float:
        """Seconds that a worker takes for a unit of `Parameters.work`."""
        if time.monotonic() - self._measured_at > _PACES_SECONDS:
            self._measured_at = time.monotonic()
            self._paces |= await self._workload.paces()
        return self._paces.get(model, self._unmeasured)

    async def work_seconds(self, model: str | None) -> float:
        """What one worker would take for all that waits or is being drawn."""
        work = (await self._workload.work()).get(model, 0)
        return work * await self.pace(model)

    async def of(self, task: Task) -> Estimate | None:
        """None for a task that is final, and while a store is away."""
        try:
            return None if task.status.final else await self._of(task)
        except Exception as error:
            if not is_outage(error):
                raise
            return None

    async def _of(self, task: Task) -> Estimate:
        pace = await self.pace(task.model)
        own = pace * task.parameters.work
        if task.status is Status.RUNNING:
            left = 1 - min(task.step / task.total_steps, 1)
            return Estimate(own * left, worker_starting=False)
        workers = len(await self._broker.workers(task.model))
        ahead = await self._workload.ahead(task)
        drawing = pace * ahead.work / max(workers, 1) + own
        if workers:
            return Estimate(drawing, worker_starting=False)
        start = await self._broker.start(task.model)
        if start is None or start.usual_seconds is None:
            return Estimate(None, worker_starting=True)
        starting = max(start.usual_seconds - start.for_seconds, 0)
        return Estimate(starting + drawing, worker_starting=True)
