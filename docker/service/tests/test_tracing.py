"""One trace for a request, from its sender's to the store of its picture, in a real collector's
protocol."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests import stores
from tests.collector import Collector, Span, collector
from tests.faults.system import SECRET, System, system
from tests.service import SMALL, on
from tests.test_logs import lines, raw

pytestmark = pytest.mark.stores

KEY = {"Authorization": f"Bearer {SECRET}"}
TRACE, SENDER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{SENDER}-01"
SILENT = f"00-{TRACE}-{SENDER}-00"
"""Of a sender that keeps no spans."""
PROMPT = "a canary that sings in a coal mine"


@pytest.fixture
def taken() -> Iterator[Collector]:
    with collector() as it:
        yield it


@asynccontextmanager
async def traced(endpoint: str, **env: str) -> AsyncIterator[System]:
    """The service with one worker, ready, and with this endpoint for its spans."""
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_BSP_SCHEDULE_DELAY": "100"} | env
    async with system(workers=1, env=env) as it, httpx.AsyncClient() as client:
        ready = False
        while not ready:
            with suppress(httpx.TransportError):
                ready = (await client.get(f"{it.apis[0].url}/readyz")).is_success
            await asyncio.sleep(0.05)
        yield it


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.05)


async def generate(url: str, body: dict[str, object], **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=url, headers=KEY, timeout=50) as client:
        return await client.post("/api/generate", json=body, headers=headers)


def ancestors(span: Span, spans: dict[str, Span]) -> list[str]:
    by_id = {other.id: other for other in spans.values()}
    names = []
    while span.parent in by_id:
        span = by_id[span.parent]
        names.append(span.name)
    return [*names, span.parent]


WHOLE = {
    "POST /api/generate": "api",
    "insert task": "api",
    "send ticket": "api",
    "wait in queue": "worker",
    "draw task": "worker",
    "draw pictures": "worker",
    "store picture": "worker",
    "finish task": "worker",
}
"""The spans of a request for a picture, each with who makes it."""


async def test_a_request_is_one_trace_from_its_sender_to_the_store_of_its_picture(
    taken: Collector, tmp_path: Path
) -> None:
    async with traced(taken.url) as it:
        with stores.nginx(tmp_path, it.apis[0].port) as edge:
            answer = await generate(edge, SMALL, traceparent=TRACEPARENT, tracestate="vendor=1")
            assert answer.status_code == 200
            await until(lambda: taken.of(TRACE).keys() >= WHOLE.keys())
            spans = taken.of(TRACE)
            root = spans["POST /api/generate"]

            assert {name: span.service for name, span in spans.items()} == WHOLE
            assert (root.kind, root.parent) == ("SERVER", SENDER)
            for name in ("insert task", "send ticket", "wait in queue", "draw task"):
                assert ancestors(spans[name], spans) == [root.name, SENDER]
            for name in ("draw pictures", "store picture", "finish task"):
                assert ancestors(spans[name], spans) == ["draw task", root.name, SENDER]
            assert spans["draw task"].instance == "worker-0"
            assert not any(span.failed for span in spans.values())

            # Who has the answer, or a line of any log, finds it.
            assert answer.headers["traceresponse"] == f"00-{TRACE}-{root.id}-01"
            assert root.attributes["task_id"] == answer.headers["X-Task-Id"]
            assert root.attributes["request_id"] == answer.headers["X-Request-Id"]
            said = [line for line in lines(it) if "task_id" in line]
            assert {line["message"] for line in said} >= {"task accepted", "task left"}
            assert {line["trace_id"] for line in said} == {TRACE}
            log = (tmp_path / "nginx.log").read_text().splitlines()
            (line,) = [json.loads(line) for line in log if answer.headers["X-Request-Id"] in line]
            assert line["trace_id"] == TRACE
        stored = await it.database.fetchval("SELECT trace FROM tasks")
        assert json.loads(stored)["tracestate"] == "vendor=1"


async def test_a_request_begins_a_trace_where_its_sender_has_none(taken: Collector) -> None:
    async with traced(taken.url) as it:
        api = it.apis[0].url
        answer = await generate(api, SMALL)
        trace = answer.headers["traceresponse"].split("-")[1]
        await until(lambda: taken.of(trace).keys() >= WHOLE.keys())
        assert taken.of(trace)["POST /api/generate"].parent == ""
        # What runs by itself, and probes, are no traces.
        roots = {span.name for span in taken.spans if not span.parent}
        assert roots == {"POST /api/generate"}


async def test_of_a_sender_without_spans_there_are_none_and_its_trace_goes_on(
    taken: Collector,
) -> None:
    async with traced(taken.url) as it:
        api = it.apis[0].url
        answer = await generate(api, SMALL, traceparent=SILENT)
        assert answer.headers["traceresponse"].startswith(f"00-{TRACE}-")
        assert (await generate(api, SMALL, traceparent=TRACEPARENT)).status_code == 200
        await until(lambda: taken.of(TRACE).keys() >= WHOLE.keys())
        assert [span.name for span in taken.spans].count("draw task") == 1
        ids = {answer.headers["X-Request-Id"]}
        assert {line["trace_id"] for line in lines(it) if line.get("request_id") in ids} == {TRACE}


async def test_an_attempt_that_failed_says_why_and_not_what_was_asked_for(
    taken: Collector,
) -> None:
    async with traced(taken.url, MAX_ATTEMPTS="1") as it:
        api = it.apis[0].url
        wanted = SMALL | {"prompt": f"fail {PROMPT}", "negative_prompt": PROMPT}
        answer = await generate(api, wanted, traceparent=TRACEPARENT)
        assert answer.status_code == 500
        # A link opens what it leads to, for whoever has it.
        slow = SMALL | {"prompt": "slow 0.5"}
        task = (await generate(api, slow, Prefer="respond-async")).json()
        link = task["events_url"]
        async with httpx.AsyncClient(base_url=api, timeout=50) as client:
            assert (await client.get(link)).status_code == 200
            assert (await client.get(link.replace("signature", "%73ignature"))).status_code == 200
        read = "GET /api/tasks/{task_id}/events"
        await until(lambda: [span.name for span in taken.spans].count(read) == 2)
        await until(lambda: {"draw task", "POST /api/generate"} <= taken.of(TRACE).keys())
        spans = taken.of(TRACE)
        assert spans["draw task"].attributes["outcome"] == "generation_failed"
        assert spans["draw pictures"].attributes["error.type"] == "ValueError"
        assert spans["draw pictures"].failed
        assert spans["POST /api/generate"].failed
        sent = b"".join(taken.bodies)
        for canary in ("canary", SECRET, link.partition("signature=")[2]):
            assert canary
            assert canary.encode() not in sent


async def test_events_are_told_while_they_happen_and_are_one_span(taken: Collector) -> None:
    async with traced(taken.url) as it:
        api = it.apis[0].url
        async with httpx.AsyncClient(base_url=api, headers=KEY, timeout=50) as client:
            body = SMALL | {"prompt": "slow 0.1", "steps": 10}
            prefer = {"Prefer": "respond-async"}
            task = (await client.post("/api/generate", json=body, headers=prefer)).json()
            told = []
            where, headers = f"/api/tasks/{task['id']}/events", {"traceparent": TRACEPARENT}
            async with client.stream("GET", where, headers=headers) as stream:
                async for line in stream.aiter_lines():
                    told.append(line)
                    # While it is told, it is not over.
                    assert not taken.of(TRACE)
        assert "event: done" in told
        await until(lambda: bool(taken.of(TRACE)))
        (span,) = taken.of(TRACE).values()
        assert (span.name, span.failed) == ("GET /api/tasks/{task_id}/events", False)


async def test_nobody_waits_for_a_collector_that_is_not_there() -> None:
    gone = f"http://127.0.0.1:{stores.free_port()}"
    async with traced(gone, OTEL_EXPORTER_OTLP_TIMEOUT="1") as it:
        assert (await generate(it.apis[0].url, SMALL)).status_code == 200
        await it.apis[0].leave()
        await it.workers[0].leave()
        assert "export" in raw(it)


async def test_where_nothing_is_traced_no_sdk_is_loaded_and_nobody_hears_of_a_trace(
    postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    settings = {"API_SECRET": SECRET, "DATABASE_URL": postgres_url, "REDIS_URL": redis_url}
    settings |= {"DATA_DIR": str(tmp_path), "MODEL_ID": "noop", "PYTHONPROFILEIMPORTTIME": "1"}
    await on(postgres_url, redis_url, tmp_path)
    loaded = {}
    for endpoint in ("", "http://127.0.0.1:1"):
        tracing = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint} if endpoint else {}
        with stores.api(tmp_path, settings | tracing) as api:
            url = f"http://127.0.0.1:{api.port}"
            async with httpx.AsyncClient(base_url=url, headers=KEY) as client:
                headers = {"traceparent": TRACEPARENT, "Prefer": "respond-async"}
                answer = await client.post("/api/generate", json=SMALL, headers=headers)
            assert answer.status_code == 202
            log = (tmp_path / f"api-{api.port}.log").read_text()
        assert ("traceresponse" in answer.headers) == bool(endpoint)
        assert (TRACE in log) == bool(endpoint)
        # The client of Redis loads what the SDK has of metrics, wherever that is installed.
        loaded[endpoint] = "opentelemetry.sdk.trace" in log or "opentelemetry.exporter" in log
    assert loaded == {"": False, "http://127.0.0.1:1": True}
