"""Puts the API together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import Response

from api import generate, health, tasks
from api.events import EventHub
from api.health import stores_answer
from api.problems import Problem
from api.services import Services
from tasks import logs, metrics
from tasks.database import create_engine
from tasks.pictures import PictureStore
from tasks.redis_queue import RedisQueue
from tasks.relay import Relay
from tasks.settings import Settings
from tasks.store import TaskStore


def create_app() -> FastAPI:
    app = FastAPI(title="Image service", version="1.0.0", lifespan=_lifespan)
    for module in (generate, tasks, health):
        app.include_router(module.router)
    app.add_exception_handler(Problem, _problem)
    return app


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    logs.configure()
    settings = Settings()
    if settings.redis_url is None:
        raise SystemExit("The API needs DATABASE_URL and REDIS_URL.")
    engine = create_engine(settings)
    store = TaskStore(engine, settings)
    queue = RedisQueue(settings.redis_url)
    services = Services(settings, store, queue, PictureStore(settings), EventHub(queue))
    app.state.services = services

    async def ready() -> bool:
        return await stores_answer(services)

    async def refresh() -> None:
        metrics.QUEUE_SIZE.set((await store.counts()).queued)

    background = [
        asyncio.create_task(services.events.run()),
        asyncio.create_task(Relay(store, queue, settings).run()),
    ]
    async with metrics.serve(settings.metrics_port, ready=ready, refresh=refresh):
        yield
    for task in background:
        task.cancel()
    await queue.close()
    await engine.dispose()
