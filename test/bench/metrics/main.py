"""What metrics, and traces that nobody takes, cost a request at the api. Prints one JSON object.

    python main.py PAIRS

Each pair is one request with them and one without, either first, on one connection to one process.
Its main thread does all but the stores' work, so that its processor's time tells what they add,
whatever else the machine does.
"""

import asyncio
import contextlib
import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic import SecretStr

from api import request_metrics
from core import metrics, tracing
from core.database import create_engine, migrate
from core.settings import Settings
from tests import stores
from tests.service import SECRET, serve

WARM = 100
BODY = json.dumps({"prompt": "a cat", "width": 256, "height": 256, "steps": 1})


class Switch:
    """Takes what is measured out of the code that it is in, and puts it back."""

    def __init__(self, app: FastAPI) -> None:
        self.on = True
        self._replace(request_metrics, "count", lambda *_: None)
        self._replace(tracing, "here", dict)
        self._replace(tracing, "subject", lambda _: {})
        self._replace(tracing, "note", lambda **_: None)
        self._replace(tracing, "span", lambda *_, **__: contextlib.nullcontext())
        # FastAPI's own span of a request.
        self._replace(app._native_telemetry, "enabled", lambda: False)

    def _replace(self, owner: Any, name: str, without: Callable[..., Any]) -> None:
        own = getattr(owner, name)

        def either(*args: Any, **named: Any) -> Any:
            return (own if self.on else without)(*args, **named)

        setattr(owner, name, either)


class Connection:
    """A client that costs next to nothing."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def ask(self, method: str, path: str, body: str = "") -> Any:
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {SECRET}\r\n"
            "Prefer: respond-async\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        assert re.match(r"HTTP/1.1 20[02] ", head), head
        length = re.search(r"(?i)\ncontent-length: (\d+)", head)
        assert length
        return json.loads(await self._reader.readexactly(int(length[1])))


def _counted() -> float:
    """Requests that the metrics know of."""
    (family,) = metrics.HTTP_REQUESTS.collect()
    return sum(sample.value for sample in family.samples)


async def compare(switch: Switch, pairs: int, ask: Callable[[], Any]) -> dict[str, float]:
    switch.on, counted = True, _counted()
    for _ in range(WARM):
        await ask()
    added, took = [], []
    for _ in range(pairs):
        spent = {}
        for on in random.sample((True, False), 2):
            switch.on = on
            began, spent_before = time.perf_counter(), time.thread_time()
            await ask()
            spent[on] = time.thread_time() - spent_before
            if not on:
                took.append(time.perf_counter() - began)
        added.append(spent[True] - spent[False])
    assert _counted() - counted == WARM + pairs, "those without them are counted, too"
    cost, request = statistics.median(added), statistics.median(took)
    return {"request ms": 1e3 * request, "added us": 1e6 * cost, "added %": 100 * cost / request}


async def main() -> None:
    pairs = int(sys.argv[1])
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-metrics-")))
        directory.chmod(0o755)
        _, database_url = stack.enter_context(stores.postgres(directory))
        _, redis_url = stack.enter_context(stores.redis(directory))
        settings = Settings(
            database_url=database_url,
            redis_url=redis_url,
            data_dir=directory,
            model_id="noop",
            api_secret=SecretStr(SECRET),
            queue_limit=10**6,
            rate_limit="1000000/minute",
        )
        engine = create_engine(settings)
        await migrate(engine)
        await engine.dispose()
        with contextlib.redirect_stdout(sys.stderr):
            async with serve(settings) as client:
                switch = Switch(client.app)  # type: ignore[attr-defined]
                port = client.base_url.port
                assert port
                connection = Connection(*await asyncio.open_connection("127.0.0.1", port))

                async def submit() -> Any:
                    return await connection.ask("POST", "/api/generate", BODY)

                task = (await submit())["id"]

                async def look() -> Any:
                    return await connection.ask("GET", f"/api/tasks/{task}")

                measured = {
                    "POST /api/generate": await compare(switch, pairs, submit),
                    "GET /api/tasks/ID": await compare(switch, pairs, look),
                }
    print(json.dumps(measured))


asyncio.run(main())
