"""What /metrics says, held against the table of all metrics."""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from core.metrics import TABLE, Open, Process
from core.postgres_health import postgres_health
from core.settings import Settings
from tasks.redis_broker import RedisBroker
from tasks.store import TaskStore
from tests import metrics_page, stores
from tests.service import SMALL, serve
from tests.stores import free_port
from tests.test_api import generate, submit, until_final

Sample = tuple[str, frozenset[tuple[str, str]]]


def samples(exposition: str) -> dict[Sample, float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
    }


def sample(name: str, **labels: str) -> Sample:
    return name, frozenset(labels.items())


async def scrape(client: httpx.AsyncClient) -> str:
    async with httpx.AsyncClient() as prometheus:
        return (await prometheus.get(client.metrics_url)).text  # type: ignore[attr-defined]


@asynccontextmanager
async def worker_process(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """`python -m worker`, with a client that knows its metrics."""
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "worker"),
        env={
            **os.environ,
            "DATABASE_URL": settings.database_url or "",
            "REDIS_URL": settings.redis_url or "",
            "DATA_DIR": str(settings.data_dir),
            "MODEL_ID": settings.model_id,
            "NAMED_ONLY": str(settings.named_only),
            "WORKER_ID": f"worker-{port}",
            "METRICS_PORT": str(port),
            "PYTHONPATH": str(Path(__file__).parents[1]),
        },
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        client.metrics_url = f"{client.base_url}/metrics"  # type: ignore[attr-defined]
        try:
            yield client
        finally:
            process.terminate()
            await process.wait()


def held_against_the_table(exposition: str, *processes: Process) -> None:
    """No metric is missing, none is there that the table doesn't give these processes, and no
    label has a value that it doesn't have."""
    families = {
        family.name: family
        for family in text_string_to_metric_families(exposition)
        if family.name.startswith("aigc_")
    }
    table = {
        metric.name.removesuffix("_total"): metric
        for metric in TABLE
        if set(processes).intersection(metric.processes)
    }
    assert set(families) == set(table)
    for name, metric in table.items():
        family = families[name]
        assert (family.type, family.documentation) == (metric.type, metric.meaning)
        values: dict[str, set[str]] = {label: set() for label in metric.labels}
        for each in family.samples:
            assert set(each.labels) - {"le"} == set(metric.labels)
            for label in metric.labels:
                values[label].add(each.labels[label])
        for label, allowed in metric.labels.items():
            if isinstance(allowed, Open):
                assert len(values[label]) <= allowed.at_most
            else:
                assert values[label] <= set(allowed)


def test_the_page_shows_the_table() -> None:
    assert metrics_page.PAGE.read_text() == metrics_page.render(), "python -m tests.metrics_page"


async def test_a_whole_service_has_every_metric_of_the_table(client: httpx.AsyncClient) -> None:
    await generate(client)
    settings = client.app.state.services.settings  # type: ignore[attr-defined]
    if settings.standalone:
        held_against_the_table(await scrape(client), "api", "worker")
    else:
        held_against_the_table(await scrape(client), "api")


@pytest.mark.stores
async def test_api_and_worker_serve_their_own_metrics_alone(
    client_without_worker: httpx.AsyncClient, settings: Settings
) -> None:
    client = client_without_worker
    async with worker_process(settings) as worker:
        task = await submit(client)
        await until_final(client, task["id"])
        of_api, of_worker = await scrape(client), await scrape(worker)
    held_against_the_table(of_api, "api")
    held_against_the_table(of_worker, "worker")
    drawn = samples(of_worker)
    assert drawn[sample("aigc_attempts_total", outcome="succeeded")] == 1
    assert drawn[sample("aigc_pickup_seconds_count")] == 1
    assert drawn[sample("aigc_completion_seconds_count")] == 1
    assert drawn[sample("aigc_completion_seconds_sum")] == pytest.approx(
        drawn[sample("aigc_pickup_seconds_sum")] + drawn[sample("aigc_generation_seconds_sum")]
    )
    assert drawn[sample("aigc_step_seconds_count")] == SMALL["steps"]
    assert drawn[sample("aigc_pictures_stored_total", format="png")] == 1
    assert drawn[sample("aigc_pictures_stored_bytes_total", format="png")] > 0


async def test_requests_are_counted_by_route_and_class_and_refusals_by_reason(
    clean: None, settings: Settings
) -> None:
    limited = settings.model_copy(update={"rate_limit": "1/minute"})
    async with serve(limited) as client:
        before = samples(await scrape(client))
        nobody = uuid.uuid4()
        await client.get(f"/api/tasks/{nobody}")
        await client.head(f"/api/tasks/{nobody}")
        await client.get(f"/api/tasks/{nobody}", headers={"Authorization": "Bearer wrong"})
        for _ in range(2):
            await client.post("/api/generate", json={"prompt": ""})
        answers = [
            await client.post("/api/generate", json=SMALL, headers={"Prefer": "respond-async"})
            for _ in range(2)
        ]
        assert [answer.status_code for answer in answers] == [202, 429]
        after = samples(await scrape(client))

    def counted(name: str, **labels: str) -> float:
        return after[sample(name, **labels)] - before.get(sample(name, **labels), 0)

    route = "/api/tasks/{task_id}"
    http = "aigc_http_requests_total"
    assert counted(http, method="GET", route=route, status="4xx") == 2
    assert counted(http, method="HEAD", route=route, status="4xx") == 1
    assert counted(http, method="POST", route="/api/generate", status="4xx") == 3
    assert counted(http, method="POST", route="/api/generate", status="2xx") == 1
    assert counted("aigc_requests_refused_total", reason="rate-limited") == 1
    assert counted("aigc_http_request_seconds_count", route=route) == 3


async def test_no_client_can_add_series_without_bounds(client: httpx.AsyncClient) -> None:
    async def flood(times: int) -> set[Sample]:
        for n in range(times):
            await client.get(f"/{uuid.uuid4()}")
            await client.request(f"ODD{n}", f"/api/tasks/{uuid.uuid4()}")
            await client.post("/api/generate", json={"prompt": "a cat", "model": f"model-{n}"})
            await client.get("/api/queue", headers={"X-Request-Id": f"id-{n}"})
        return set(samples(await scrape(client)))

    await generate(client)
    assert await flood(30) == await flood(3)


@pytest.mark.stores
async def test_what_the_stores_tell_of_themselves_is_theirs(
    engine: AsyncEngine, settings: Settings
) -> None:
    if settings.standalone:
        pytest.skip("there are no stores")
    before = await postgres_health(engine)
    async with engine.connect() as idle, engine.connect() as dump:
        await idle.execute(text("SELECT pg_sleep(0.2)"))
        await dump.execute(text("SET application_name = 'pg_dump'"))
        during = await postgres_health(engine)
        (limit,) = (await idle.execute(text("SHOW max_connections"))).scalars()
    assert during.connections_limit == int(limit)
    assert before.connections < during.connections <= during.connections_limit
    assert during.oldest_transaction_seconds >= 0.2
    assert during.bytes > 1_000_000
    broker = RedisBroker(settings.redis_url or "")
    assert not (await broker.health()).persistence_fails
    await broker._redis.config_set("maxmemory", "100mb")
    health = await broker.health()
    await broker._redis.config_set("maxmemory", "0")
    assert health.memory_limit == 100 * 2**20
    assert 0 < health.memory < health.memory_limit
    await broker.close()


@pytest.mark.stores
async def test_redis_that_cannot_write_to_its_volume_says_so(tmp_path: Path) -> None:
    with stores.redis(tmp_path) as (_, url):
        broker = RedisBroker(url)
        assert not (await broker.health()).persistence_fails
        (tmp_path / "redis/dump.rdb").mkdir()  # no file can get that name
        await broker._redis.bgsave()
        async with asyncio.timeout(10):
            while not (await broker.health()).persistence_fails:
                await asyncio.sleep(0.05)
        await broker.close()


async def test_the_queue_is_shown_by_model_and_status_with_the_dead(
    client_without_worker: httpx.AsyncClient, store: TaskStore, settings: Settings
) -> None:
    client = client_without_worker
    for _ in range(2):
        await submit(client)
    task = await store.claim("somebody")
    assert task is not None
    shown = samples(await scrape(client))
    assert shown[sample("aigc_tasks", model="noop", status="queued")] == 1
    assert shown[sample("aigc_tasks", model="noop", status="running")] == 1
    assert shown[sample("aigc_queue_size")] == 1
    assert shown[sample("aigc_queue_limit")] == settings.queue_limit
    assert shown[sample("aigc_queue_oldest_age_seconds", model="noop")] > 0
    assert shown[sample("aigc_dead_tasks")] == 0
