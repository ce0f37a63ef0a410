"""`uvicorn api:app` with nothing configured: SQLite, an own worker, a key in the log."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import httpx

from tests.service import SMALL, colour, colour_of
from tests.stores import free_port


async def test_uvicorn_alone_serves_the_same_api(tmp_path: Path) -> None:
    port = free_port()
    own = {"MODEL_ID": "noop", "DATA_DIR": str(tmp_path), "METRICS_PORT": str(free_port())}
    unset = ("API_SECRET", "DATABASE_URL", "REDIS_URL", "S3_BUCKET")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "uvicorn", "api:app", "--port", str(port)),
        cwd=Path(__file__).parents[1],
        env={name: value for name, value in os.environ.items() if name not in unset} | own,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    log = ""
    while f"running on http://127.0.0.1:{port}" not in log:
        line = await process.stderr.readline()
        assert line, log
        log += line.decode()
    told = re.search(r"the key of this run is ([\w-]+)", log)
    assert told, log
    headers = {"Authorization": f"Bearer {told[1]}"}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as client:
        task = (await client.post("/api/generate", json=SMALL)).json()
        picture = await client.get(task["images"][0]["url"])
        assert colour_of(picture.content) == colour("a cat", 7)
        assert (await client.get("/api/tasks")).json()["tasks"][0]["id"] == task["id"]
        assert (await client.get("/")).status_code == 200
    process.send_signal(signal.SIGTERM)
    await process.stderr.read()
    assert await asyncio.wait_for(process.wait(), 20) in (0, -signal.SIGTERM)
