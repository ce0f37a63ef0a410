"""Puts the API together."""

import asyncio
import contextlib
import logging
import secrets
import signal
from collections.abc import AsyncIterator

from fastapi import Depends, FastAPI
from pydantic import SecretStr
from sse_starlette.sse import AppStatus
from starlette.middleware.cors import CORSMiddleware

from api import (
    gauges,
    generate,
    health,
    openai,
    openai_models,
    openai_unsupported,
    playground,
    problems,
    query,
    queue,
    tasks,
)
from api.admission import Admission
from api.auth import Authentication, KeyRing
from api.departures import Departures
from api.health import Readiness
from api.links import Links
from api.methods import Methods
from api.middleware import JsonBody, RequestContext
from api.ratelimit import RateLimiter
from api.services import Services
from tasks import logs, metrics
from tasks.database import create_engine, migrate
from tasks.events import EventHub
from tasks.history import History
from tasks.keys import KeyStore
from tasks.local_queue import LocalQueue
from tasks.pictures import PictureStore
from tasks.redis_queue import RedisQueue
from tasks.relay import Relay
from tasks.settings import Settings
from tasks.store import TaskStore

log = logging.getLogger(__name__)

# On SIGTERM sse-starlette cuts all streams. Each ends by itself within a request's longest time,
# which a leaving pod has; uvicorn waits for it.
AppStatus.enable_automatic_graceful_drain = False

_WITH_KEY = (generate, tasks, openai, openai_models, openai_unsupported, queue)
_OPEN = (health, playground)

_DESCRIPTION = """\
Pictures from text by Stable Diffusion XL. A request waits for its picture; with
`Prefer: respond-async` it gets a task to follow instead. Errors are problem documents (RFC 9457).
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The app; its settings come from the environment, unless given."""
    settings = settings or Settings()

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        logs.configure()
        async with _running(settings) as services:
            app.state.services = services
            yield

    app = FastAPI(
        title="Image service",
        version="1.0.0",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
    )
    own = [route for module in _WITH_KEY + _OPEN for route in module.router.routes]
    app.state.routes = [*app.routes, *own]
    for module in _WITH_KEY:
        app.include_router(module.router, dependencies=[Depends(query.refuse_unknown)])
    for module in _OPEN:
        app.include_router(module.router)
    problems.install(app)
    # The one that is added last sees a request first.
    for middleware in (JsonBody, Authentication, Methods, RequestContext):
        app.add_middleware(middleware)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "HEAD", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["*"],
        )
    return app


@contextlib.asynccontextmanager
async def _running(settings: Settings) -> AsyncIterator[Services]:
    settings = _with_secret(settings)
    engine = create_engine(settings)
    store = TaskStore(engine, settings)
    keys = KeyStore(engine)
    work_queue = RedisQueue(settings.redis_url) if settings.redis_url else LocalQueue()
    services = Services(
        settings=settings,
        store=store,
        history=History(engine),
        queue=work_queue,
        events=EventHub(work_queue),
        pictures=PictureStore(settings),
        keyring=KeyRing(settings, keys),
        limiter=RateLimiter(settings),
        admission=Admission(store, keys, settings),
        links=Links(settings),
        departures=Departures(store, work_queue),
        ready=Readiness(store, work_queue),
    )

    async def refresh() -> None:
        await gauges.refresh(services)

    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        stack.push_async_callback(work_queue.close)
        if settings.standalone:
            await migrate(engine)
            await stack.enter_async_context(_own_worker(services))
        for job in (services.events.run(), Relay(store, work_queue, settings).run()):
            stack.callback(asyncio.create_task(job).cancel)
        await stack.enter_async_context(
            metrics.serve(settings.metrics_port, ready=services.ready, refresh=refresh)
        )
        stack.push_async_callback(services.departures.close)
        yield services


def _with_secret(settings: Settings) -> Settings:
    if settings.api_secret is not None:
        return settings
    if not settings.standalone:
        raise SystemExit("API_SECRET is not set.")
    secret = secrets.token_urlsafe(16)
    log.warning("API_SECRET is not set; the key of this run is %s", secret)
    return settings.model_copy(update={"api_secret": SecretStr(secret)})


@contextlib.asynccontextmanager
async def _own_worker(services: Services) -> AsyncIterator[None]:
    """Standalone mode: the worker that elsewhere is a process of its own."""
    from worker import download
    from worker.worker import Worker

    settings = services.settings
    worker = Worker(services.store, services.queue, services.pictures, settings)

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
