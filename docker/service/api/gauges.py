"""The gauges that are asked of the stores at each scrape."""

import asyncio
import time
from collections.abc import Awaitable

from sqlalchemy.ext.asyncio import AsyncEngine

from api.models import model_of, models
from api.services import Services
from core import metrics
from core.outages import is_outage
from core.postgres_health import postgres_health
from core.schema import Status
from tasks.redis_broker import RedisBroker
from tasks.store import Unfinished

_PATIENCE = 1.5
"""Seconds; less than half of Prometheus' own, since two questions may have to wait."""
_UNFINISHED = (Status.QUEUED, Status.RUNNING)


async def refresh(services: Services, engine: AsyncEngine) -> None:
    """A store that is away answers the scrape, too: what was counted last stays."""
    broker = services.broker
    metrics.QUEUE_LIMIT.set(services.settings.queue_limit)
    if not isinstance(broker, RedisBroker):
        await _count(services)
        return
    postgres, redis, _ = await asyncio.gather(
        _answers(services.store.ping()), _answers(broker.ping()), services.certificate.look()
    )
    metrics.STORE_UP.labels(store="postgres").set(postgres)
    metrics.STORE_UP.labels(store="redis").set(redis)
    questions = [_count(services), _look_at_postgres(engine)] if postgres else []
    if redis:
        questions.append(_look_at_redis(broker))
    await asyncio.gather(*map(_answers, questions))


async def _count(services: Services) -> None:
    store, settings = services.store, services.settings
    names = models(settings)
    _show_queue(await store.unfinished(), {model_of(settings, name): name for name in names})
    for name in names:
        seconds = await services.estimates.work_seconds(model_of(settings, name))
        metrics.WORK.labels(_label(name)).set(seconds)
    metrics.DEAD.set(await store.dead_count())
    backup = await store.last_backup()
    metrics.LAST_BACKUP.set(backup.timestamp() if backup else 0)
    scrub = await store.last_scrub()
    metrics.LAST_SCRUB.set(scrub.timestamp() if scrub else 0)
    metrics.DAMAGED_PICTURES.set(await store.damaged_pictures())
    drill, good = await store.last_drill(), await store.last_good_drill()
    metrics.DRILL_FAILED.set(drill is not None and not drill.succeeded)
    metrics.LAST_DRILL.set(good.finished_at.timestamp() if good else 0)
    metrics.DRILL_LOST.set((good and good.lost_seconds) or 0)
    metrics.DRILL_TOOK.set((good and good.restore_seconds) or 0)


def _show_queue(unfinished: list[Unfinished], names: dict[str | None, str]) -> None:
    """@param names of the models; tasks of another, which was configured before, are of `other`"""
    counts = {(name, status): 0 for name in names.values() for status in _UNFINISHED}
    ages = dict.fromkeys(names.values(), 0.0)
    for each in unfinished:
        name = names.get(each.model, "other")
        counts[name, each.status] = counts.get((name, each.status), 0) + each.tasks
        if each.status == Status.QUEUED:
            ages[name] = max(ages.get(name, 0), time.time() - each.oldest.timestamp())
    metrics.QUEUE_SIZE.set(sum(n for (_, status), n in counts.items() if status == Status.QUEUED))
    metrics.TASKS.clear()
    metrics.QUEUE_AGE.clear()
    for (name, status), tasks in counts.items():
        metrics.TASKS.labels(_label(name), status).set(tasks)
    for name, age in ages.items():
        metrics.QUEUE_AGE.labels(_label(name)).set(age)


def _label(model: str) -> str:
    """As a label selector of Kubernetes can ask for it."""
    return model.replace("/", "_")


async def _look_at_postgres(engine: AsyncEngine) -> None:
    health = await postgres_health(engine)
    metrics.DATABASE_CONNECTIONS.set(health.connections)
    metrics.DATABASE_CONNECTIONS_LIMIT.set(health.connections_limit)
    metrics.DATABASE_TRANSACTION.set(health.oldest_transaction_seconds)
    metrics.DATABASE_BYTES.set(health.bytes)
    metrics.ARCHIVE_FAILS.set(health.archive_fails)


async def _look_at_redis(broker: RedisBroker) -> None:
    health = await broker.health()
    metrics.REDIS_BYTES.set(health.memory)
    metrics.REDIS_LIMIT.set(health.memory_limit)
    metrics.REDIS_PERSISTENCE_FAILS.set(health.persistence_fails)


async def _answers(question: Awaitable[None]) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE):
            await question
    except Exception as error:
        if not is_outage(error):
            raise
        return False
    return True
