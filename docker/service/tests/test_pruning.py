"""What is kept too long goes: pictures, and what they were drawn from."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from core.settings import Settings
from tests.hostile_pictures import photo, saved
from tests.service import SMALL

pytestmark = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)

DAY = 86_400


def prune(settings: Settings, days: int) -> None:
    subprocess.run(
        [sys.executable, "-m", "tasks.pruning", str(days)],
        env=os.environ | {"DATA_DIR": str(settings.data_dir)},
        cwd=Path(__file__).parents[1],
        check=True,
    )


def age(directory: Path, days: float) -> None:
    then = time.time() - days * DAY
    for path in directory.rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


async def test_pictures_and_inputs_go_when_their_time_is_up_and_the_task_says_so(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    file = saved(photo((256, 256)), "PNG")
    sent = await client.post("/api/inputs", content=file, headers={"Content-Type": "image/png"})
    old = SMALL | {"image": sent.json()["id"]}
    task = (await client.post("/api/generate", json=old)).json()
    age(settings.data_dir, 31)
    kept = (await client.post("/api/generate", json=SMALL)).json()
    await asyncio.to_thread(prune, settings, 30)
    assert (await client.get(task["images"][0]["url"])).status_code == 410
    assert (await client.get(kept["images"][0]["url"])).status_code == 200
    again = await client.post("/api/generate", json=old)
    assert again.status_code == 422, "the input is gone, too"
    assert again.json()["errors"][0]["field"] == "image"
    assert (await client.get(f"/api/tasks/{task['id']}")).status_code == 200
