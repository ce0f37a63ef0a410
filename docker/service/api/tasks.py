"""/api/tasks: a key's own tasks and their pictures."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from fastapi.responses import RedirectResponse, Response

from api.auth import KeyId
from api.problems import Problem
from api.services import Provided, Services
from api.views import TaskView, task_view
from tasks.task import Task

router = APIRouter(prefix="/api/tasks", tags=["tasks"])

_LINK_LIFETIME = timedelta(minutes=15)


async def _task(services: Services, task_id: UUID, key_id: int) -> Task:
    task = await services.store.get(task_id, key_id=key_id)
    if task is None:
        raise Problem(404, "not-found", "There is no such task.")
    return task


@router.get("/{task_id}")
async def get_task(task_id: UUID, services: Provided, key_id: KeyId) -> TaskView:
    return task_view(await _task(services, task_id, key_id))


@router.get("/{task_id}/images/{n}")
async def get_image(
    task_id: UUID, n: Annotated[int, Path(ge=0, le=3)], services: Provided, key_id: KeyId
) -> Response:
    task = await _task(services, task_id, key_id)
    if n >= len(task.images):
        raise Problem(404, "not-found", "The task has no such picture.")
    image = task.images[n]
    if services.pictures.presigns:
        url = await services.pictures.presigned_url(image, _LINK_LIFETIME)
        return RedirectResponse(url, status_code=302)
    return Response(
        await services.pictures.get(image),
        media_type=image.format.media_type,
        headers={"ETag": f'"{image.sha256}"', "Cache-Control": "private, max-age=31536000"},
    )
