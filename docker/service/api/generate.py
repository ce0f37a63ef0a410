"""POST /api/generate: accepts a task and waits for its picture."""

import asyncio
import uuid
from contextlib import suppress

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from api.auth import KeyId
from api.problems import Problem
from api.services import Provided, Services
from api.views import TaskView, task_path, task_view
from tasks import metrics
from tasks.parameters import Parameters
from tasks.schema import Status
from tasks.task import Task

router = APIRouter(tags=["generate"])

_POLL_SECONDS = 2
"""Events get lost; the store is asked again at least this often."""


@router.post("/api/generate", response_model=TaskView)
async def generate(parameters: Parameters, services: Provided, key_id: KeyId) -> Response:
    try:
        task = await submit(services, parameters, key_id)
        task = await wait(services, task, services.settings.max_wait_seconds)
        response = _response(task)
    except Exception:
        metrics.REQUESTS.labels("generate", "failed").inc()
        raise
    metrics.REQUESTS.labels("generate", "success").inc()
    return response


async def submit(services: Services, parameters: Parameters, key_id: int) -> Task:
    task = await services.store.submit(parameters, key_id=key_id, request_id=uuid.uuid4().hex)
    assert task is not None
    with suppress(Exception):  # accepted is accepted: the relay makes up for it
        await services.queue.put([task.id])
    return task


async def wait(services: Services, task: Task, seconds: float) -> Task:
    """The task in its final state, or as it is when the time is up."""
    deadline = asyncio.get_running_loop().time() + seconds
    with services.events.listen(task.id) as events:
        while not task.status.final:
            remaining = deadline - asyncio.get_running_loop().time()
            if remaining <= 0:
                break
            with suppress(TimeoutError):
                await asyncio.wait_for(events.get(), min(remaining, _POLL_SECONDS))
            task = await services.store.get(task.id, key_id=task.key_id) or task
    return task


def _response(task: Task) -> Response:
    if task.status is Status.FAILED:
        raise Problem(500, task.error_code or "failed", task.error or "", task_id=str(task.id))
    return JSONResponse(
        task_view(task).model_dump(mode="json"),
        status_code=200 if task.status.final else 202,
        headers={"Location": task_path(task)},
    )
