"""Clients that never give up, and remember everything they were told."""

import asyncio
import itertools
import random
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.faults.system import SECRET, System

_FINAL = {"succeeded", "failed", "cancelled"}


@dataclass
class Record:
    """What one client asked for, and each answer it got about it."""

    prompt: str
    seed: int
    num_images: int = 1
    idempotency_key: str = field(default_factory=lambda: uuid.uuid4().hex)
    task_id: str | None = None
    seen: list[str] = field(default_factory=list)


class Clients:
    def __init__(self, system: System) -> None:
        self._system = system
        self._http = httpx.AsyncClient(headers={"Authorization": f"Bearer {SECRET}"}, timeout=30)
        self._turn = itertools.count()
        self.history: list[Record] = []

    async def close(self) -> None:
        await self._http.aclose()

    def _url(self, path: str) -> str:
        """The APIs by turns, as nginx would."""
        return self._system.apis[next(self._turn) % len(self._system.apis)].url + path

    async def _insist(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Repeats a request until an API takes it."""
        while True:
            try:
                response = await self._http.request(method, self._url(path), **request)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if response.status_code == 503:
                await asyncio.sleep(0.1)
                continue
            return response.raise_for_status()

    async def submit(self, prompt: str = "a cat", *, steps: int = 2, num_images: int = 1) -> Record:
        """Repeats the request until it is accepted."""
        record = Record(
            f"{prompt} {uuid.uuid4().hex[:8]}", random.randrange(2**32 - 10), num_images
        )
        self.history.append(record)
        body = {
            "prompt": record.prompt,
            "seed": record.seed,
            "steps": steps,
            "num_images": num_images,
            "width": 256,
            "height": 256,
        }
        headers = {"Idempotency-Key": record.idempotency_key, "Prefer": "respond-async"}
        response = await self._insist("POST", "/api/generate", json=body, headers=headers)
        record.task_id = response.json()["id"]
        return record

    async def follow(self, record: Record) -> str:
        """Asks until the task is final."""
        while True:
            response = await self._insist("GET", f"/api/tasks/{record.task_id}")
            status: str = response.json()["status"]
            record.seen.append(status)
            if status in _FINAL:
                return status
            await asyncio.sleep(0.05)

    async def stream(self, record: Record, broken: list[str]) -> None:
        """Follows the task by its events, and goes on where a stream says so."""
        path, last_id, name = f"/api/tasks/{record.task_id}/events", "", ""
        while name != "done":
            name, answered = "", False
            try:
                headers = {"Last-Event-ID": last_id}
                url = self._url(path)
                async with self._http.stream("GET", url, headers=headers) as response:
                    answered = True
                    async for line in response.aiter_lines():
                        field, _, value = line.partition(": ")
                        name = value if field == "event" else name
                        last_id = value if field == "id" else last_id
            except httpx.TransportError as error:
                if not answered:  # nobody was there to begin with: nginx asks another
                    await asyncio.sleep(0.05)
                    continue
                broken.append(f"{record.task_id}: {error!r} after {name or 'nothing'}")
                continue
            if name not in ("continue", "done"):
                broken.append(f"{record.task_id}: a stream ended after {name or 'nothing'}")

    async def post(self, body: dict[str, object]) -> httpx.Response:
        """One request, as it comes."""
        return await self._http.post(self._url("/api/generate"), json=body)

    async def get(self, path: str) -> httpx.Response:
        return await self._http.get(self._url(path))
