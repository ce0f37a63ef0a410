"""Streams that go on: over the time that one request has, and over a pod that leaves."""

import asyncio
import json
import signal
from typing import Any

import httpx

from core.settings import Settings
from tests.service import serve, worker
from tests.test_api import submit

Told = list[tuple[str, str, dict[str, Any]]]


async def follow(client: httpx.AsyncClient, url: str, last_id: str = "") -> Told:
    """The events of one connection, each with the id that is the last by then."""
    told: Told = []
    name = ""
    async with client.stream("GET", url, headers={"Last-Event-ID": last_id}) as response:
        assert response.status_code == 200
        async for line in response.aiter_lines():
            field, _, value = line.partition(": ")
            match field:
                case "event":
                    name = value
                case "id":
                    last_id = value
                case "data":
                    told.append((name, last_id, json.loads(value)))
    return told


async def test_a_stream_ends_in_where_to_go_on_and_nothing_is_told_twice(
    clean: None, settings: Settings
) -> None:
    short = settings.model_copy(update={"max_wait_seconds": 1})
    async with serve(short) as client, worker(short):
        task = await submit(client, prompt="slow 0.1", steps=25)
        url, last_id = f"/api/tasks/{task['id']}/events", ""
        streams: list[Told] = []
        async with httpx.AsyncClient(base_url=client.base_url) as anyone:
            while not streams or streams[-1][-1][0] == "continue":
                told = await follow(anyone if streams else client, url, last_id)
                streams.append(told)
                url, last_id = told[-1][2].get("url"), told[-1][1]
            told = [event for stream in streams for event in stream]
            assert len(streams) > 1
            assert told[-1][0] == "done"
            assert [name for name, _, _ in told].count("started") == 1
            steps = [data["step"] for name, _, data in told if name == "step"]
            assert steps == sorted(set(steps))
            path = f"/api/tasks/{task['id']}/events"
            after = await client.get(path, headers={"Last-Event-ID": last_id})
            assert after.status_code == 204
            again = await follow(client, path, "of another service")
            assert [name for name, _, _ in again] == ["done"]


async def test_a_pod_that_leaves_cuts_no_stream(clean: None, settings: Settings) -> None:
    async with serve(settings) as client, worker(settings):
        body = {"prompt": "slow 0.1", "size": "256x256", "steps": 15, "stream": True}
        task = await submit(client, prompt="slow 0.1", steps=15)
        own = asyncio.create_task(follow(client, f"/api/tasks/{task['id']}/events"))
        openais = asyncio.create_task(client.post("/v1/images/generations", json=body))
        await asyncio.sleep(1)
        client.server.handle_exit(signal.SIGTERM, None)  # type: ignore[attr-defined]
        assert (await own)[-1][0] == "done"
        assert "event: image_generation.completed" in (await openais).text
