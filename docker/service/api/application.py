"""Puts the API together."""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from fastapi import Depends, FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine
from sse_starlette.sse import AppStatus
from starlette.middleware.cors import CORSMiddleware

from api import errors, gauges, query, work
from api.admission import Admission
from api.authentication import Authentication
from api.certificate import Certificate
from api.departures import Departures
from api.estimates import Estimates
from api.inputs import Inputs
from api.keyring import KeyRing
from api.links import Links
from api.methods import Methods
from api.middleware import Body, RequestContext
from api.ratelimit import RateLimiter
from api.readiness import Readiness
from api.routes import (
    generate,
    health,
    inputs,
    openai,
    openai_edits,
    openai_models,
    openai_unsupported,
    operator,
    pages,
    queue,
    tasks,
)
from api.services import Services
from api.uploads import Uploader
from api.webhooks import Messenger
from core import logs, metrics_server, tracing
from core.database import create_engine
from core.keys import KeyStore
from core.metrics import Process
from core.settings import Settings
from tasks.broker import Broker
from tasks.events import EventHub
from tasks.history import History
from tasks.images import ImageStore
from tasks.local_broker import LocalBroker
from tasks.operations import Operations
from tasks.redis_broker import RedisBroker
from tasks.relay import Relay
from tasks.store import TaskStore
from tasks.uploads import UploadStore
from tasks.webhooks import WebhookStore
from tasks.workload import Workload

# On SIGTERM sse-starlette cuts all streams. Each ends by itself within a request's longest time,
# which a leaving pod has; uvicorn waits for it.
AppStatus.enable_automatic_graceful_drain = False

_WITH_KEY = (
    generate,
    inputs,
    tasks,
    openai,
    openai_edits,
    openai_models,
    openai_unsupported,
    queue,
    operator,
)
_OPEN = (health, pages)

_DESCRIPTION = """\
Pictures from text by Stable Diffusion XL. A request waits for its picture; with
`Prefer: respond-async` it gets a task to follow instead. Errors are problem documents (RFC 9457).
"""


Beside = Callable[[Services, AsyncEngine], AbstractAsyncContextManager[None]]
"""What runs in the API's process as long as it serves."""


def create_app(settings: Settings, beside: Beside | None = None) -> FastAPI:
    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        logs.configure()
        tracing.start("image-service" if settings.standalone else "api", settings)
        async with _running(settings, beside) as services:
            app.state.services = services
            # What has been imported stays: looking through it takes long, and everybody waits.
            gc.collect()
            gc.freeze()
            yield
        await asyncio.to_thread(tracing.stop)

    app = FastAPI(
        title="Image service",
        version="1.0.0",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        # Its own span of each request, with the sender's for its parent; no more of that.
        telemetry={
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
            "exclude": health.is_probe,
        },
    )
    own = [route for module in _WITH_KEY + _OPEN for route in module.router.routes]
    app.state.routes = [*app.routes, *own]
    for module in _WITH_KEY:
        app.include_router(module.router, dependencies=[Depends(query.refuse_unknown)])
    for module in _OPEN:
        app.include_router(module.router)
    errors.install(app)
    # The one that is added last sees a request first.
    for middleware in (Body, Authentication, Methods, RequestContext):
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
async def _running(settings: Settings, beside: Beside | None) -> AsyncIterator[Services]:
    if settings.api_secret is None:
        raise SystemExit("API_SECRET is not set.")
    engine = create_engine(settings)
    store = TaskStore(engine, settings)
    workload = Workload(engine)
    keys = KeyStore(engine)
    broker: Broker = RedisBroker(settings.redis_url) if settings.redis_url else LocalBroker()
    services = Services(
        settings=settings,
        store=store,
        history=History(engine),
        broker=broker,
        certificate=Certificate(settings),
        events=EventHub(broker),
        images=ImageStore(settings),
        inputs=Inputs(settings),
        webhooks=WebhookStore(engine),
        sent=UploadStore(engine),
        keyring=KeyRing(settings, keys),
        limiter=RateLimiter(settings, "pictures"),
        uploads=RateLimiter(settings, "inputs"),
        admission=Admission(store, keys, settings),
        links=Links(settings),
        departures=Departures(store, broker),
        workload=workload,
        estimates=Estimates(workload, broker, settings),
        operations=Operations(engine),
        ready=Readiness(store, broker),
    )

    async def refresh() -> None:
        await gauges.refresh(services, engine)

    processes: list[Process] = ["api", "worker"] if settings.standalone else ["api"]
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        stack.push_async_callback(broker.close)
        if beside:
            await stack.enter_async_context(beside(services, engine))
        jobs = [services.events.run(), Relay(store, broker, settings).run()]
        if settings.webhook_secret:
            jobs.append(Messenger(services.webhooks, store, settings).run())
        if settings.uploads:
            jobs.append(Uploader(services.sent, store, services.images, settings).run())
        for job in jobs:
            stack.callback(asyncio.create_task(job).cancel)
        await stack.enter_async_context(
            metrics_server.serve(
                settings.metrics_port,
                processes,
                ready=services.ready,
                refresh=refresh,
                besides=[work.route(services)],
            )
        )
        stack.push_async_callback(services.departures.close)
        stack.push_async_callback(services.inputs.close)
        yield services
