"""GET /api/queue: how busy the service is."""

from fastapi import APIRouter
from pydantic import BaseModel

from api.dependencies import Caller, Provided
from api.errors import documented

router = APIRouter(tags=["tasks"])


class QueueView(BaseModel):
    queued: int
    running: int
    finished_last_minute: int
    workers: int


@router.get("/api/queue", summary="How busy the service is", responses=documented(401, 503))
async def get_queue(services: Provided, _caller: Caller) -> QueueView:
    counts = await services.store.counts()
    return QueueView(
        queued=counts.queued,
        running=counts.running,
        finished_last_minute=counts.finished_last_minute,
        workers=sum(
            [len(await services.broker.workers(queue)) for queue in services.settings.queues]
        ),
    )
