"""The gauges that are asked of the stores at each scrape."""

import asyncio
import time
from collections.abc import Awaitable

from api.models import model_of, models
from api.services import Services
from core import metrics
from core.outages import is_outage

_PATIENCE = 1.5
"""Seconds; less than half of Prometheus' own, since two questions may have to wait."""


async def refresh(services: Services) -> None:
    """A store that is away answers the scrape, too: what was counted last stays."""
    if services.settings.standalone:
        await _count(services)
        return
    postgres, redis = await asyncio.gather(
        _answers(services.store.ping()), _answers(services.broker.ping())
    )
    metrics.STORE_UP.labels(store="postgres").set(postgres)
    metrics.STORE_UP.labels(store="redis").set(redis)
    if postgres:
        await _answers(_count(services))
        await _answers(_look_at_archive(services))


async def _count(services: Services) -> None:
    store = services.store
    metrics.QUEUE_SIZE.set((await store.counts()).queued)
    for name in models(services.settings):
        seconds = await services.estimates.work_seconds(model_of(services.settings, name))
        # As a label selector of Kubernetes can ask for it.
        metrics.WORK.labels(name.replace("/", "_")).set(seconds)
    oldest = await store.oldest_queued()
    metrics.QUEUE_AGE.set(time.time() - oldest.timestamp() if oldest else 0)
    backup = await store.last_backup()
    metrics.LAST_BACKUP.set(backup.timestamp() if backup else 0)
    drill, good = await store.last_drill(), await store.last_good_drill()
    metrics.DRILL_FAILED.set(drill is not None and not drill.succeeded)
    metrics.LAST_DRILL.set(good.finished_at.timestamp() if good else 0)
    metrics.DRILL_LOST.set((good and good.lost_seconds) or 0)
    metrics.DRILL_TOOK.set((good and good.restore_seconds) or 0)


async def _look_at_archive(services: Services) -> None:
    metrics.ARCHIVE_FAILS.set(await services.store.archive_fails())


async def _answers(question: Awaitable[None]) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE):
            await question
    except Exception as error:
        if not is_outage(error):
            raise
        return False
    return True
