"""The whole service in one process: the API, a worker beside it, SQLite, a directory."""

import asyncio
import contextlib
import logging
import secrets
import signal
from collections.abc import AsyncIterator

from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncEngine

import api.application
from api.services import Services
from core import logs
from core.database import migrate
from core.settings import Settings
from worker import download
from worker.worker import Worker

log = logging.getLogger(__name__)


def create_app(settings: Settings) -> FastAPI:
    logs.configure()
    return api.application.create_app(_with_secret(settings), _own_worker)


def _with_secret(settings: Settings) -> Settings:
    if settings.api_secret is not None:
        return settings
    secret = secrets.token_urlsafe(16)
    log.warning("API_SECRET is not set; the key of this run is %s", secret)
    return settings.model_copy(update={"api_secret": SecretStr(secret)})


@contextlib.asynccontextmanager
async def _own_worker(services: Services, engine: AsyncEngine) -> AsyncIterator[None]:
    await migrate(engine)
    settings = services.settings
    worker = Worker(services.store, services.broker, services.images, settings)

    async def work() -> None:
        try:
            if settings.model_id != "noop":
                await asyncio.to_thread(download.ensure, settings)
            await worker.run()
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError):
                log.critical("the worker ended: %s", error, exc_info=error)
                signal.raise_signal(signal.SIGTERM)

    working = asyncio.create_task(work())
    try:
        yield
    finally:
        worker.stop()
        if not worker.loaded:
            working.cancel()
        await asyncio.wait([working])
