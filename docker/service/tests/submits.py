"""Tasks submitted at given moments, by a client that costs next to nothing: a library would take
more of the processors than the service."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

_BODY = json.dumps({"prompt": "a cat", "width": 256, "height": 256, "steps": 1})


@dataclass(frozen=True)
class Answer:
    due: float
    """When it was to be sent; both are seconds since 1970."""
    at: float
    task: str | None
    """Its id; None: it was not accepted."""


async def submit(port: int, key: str, moments: Iterator[float], answers: list[Answer]) -> None:
    """One after the other, each at its moment or when the one before it has been answered."""
    request = (
        f"POST /api/generate HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
        "Prefer: respond-async\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(_BODY)}\r\n\r\n{_BODY}"
    ).encode()
    connection = None
    for due in moments:
        await asyncio.sleep(max(0, due - time.time()))
        task = None
        try:
            async with asyncio.timeout(10):
                connection = connection or await asyncio.open_connection("127.0.0.1", port)
                task = await _answered(*connection, request)
        except (OSError, TimeoutError, asyncio.IncompleteReadError):
            pass
        answers.append(Answer(due, time.time(), task))
        if task is None and connection:
            connection[1].close()
            connection = None
    if connection:
        connection[1].close()


async def _answered(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> str | None:
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    if not head.startswith("HTTP/1.1 202 "):
        return None
    length = re.search(r"(?i)\ncontent-length: (\d+)", head)
    assert length
    return str(json.loads(await reader.readexactly(int(length[1])))["id"])
