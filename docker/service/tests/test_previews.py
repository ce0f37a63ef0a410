"""Previews: when they are made, who gets them, and that nothing hangs on them."""

import asyncio
import base64
import json
from io import BytesIO

import httpx
import pytest
from PIL import Image

from core.schema import Status
from core.settings import Settings
from tasks.broker import Event
from tasks.parameters import Parameters
from tests.service import colour, serve, worker
from tests.test_api import submit
from tests.test_streams import follow
from worker import previews
from worker.previews import preview_steps


@pytest.mark.parametrize(
    ("steps", "partial_images", "expected"),
    [
        (30, 0, []),
        (30, 1, [15]),
        (30, 3, [7, 15, 22]),
        (3, 2, [1, 2]),
        (2, 3, [1]),
        (1, 3, []),
    ],
)
def test_previews_are_spread_over_the_steps_and_never_the_last(
    steps: int, partial_images: int, expected: list[int]
) -> None:
    parameters = Parameters(prompt="a cat", steps=steps, partial_images=partial_images)
    shown = preview_steps(parameters)
    assert list(shown) == expected
    assert list(shown.values()) == [*range(len(expected))]


async def test_whoever_follows_a_task_is_shown_its_previews_once(client: httpx.AsyncClient) -> None:
    task = await submit(client, prompt="slow 0.1", steps=10, partial_images=2, seed=7)
    told = await follow(client, f"/api/tasks/{task['id']}/events")
    shown = [(last_id, data) for name, last_id, data in told if name == "partial_image"]
    assert [(data["n"], data["number"]) for _, data in shown] == [(0, 0), (0, 1)]
    assert all(last_id.startswith(("running-", "queued-")) for last_id, _ in shown)
    preview = Image.open(BytesIO(base64.b64decode(shown[0][1]["jpeg"])))
    assert preview.size == (32, 32)
    pixel = preview.convert("RGB").getpixel((0, 0))
    assert isinstance(pixel, tuple)
    drawn = colour("slow 0.1", 7)
    assert max(abs(a - b) for a, b in zip(pixel, drawn, strict=True)) < 12
    # What is told to who comes later holds none.
    again = await follow(client, f"/api/tasks/{task['id']}/events")
    assert [name for name, _, _ in again] == ["done"]


async def test_a_preview_that_can_not_be_made_costs_no_picture(
    clean: None, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> bytes:
        raise ValueError("no preview")

    monkeypatch.setattr("worker.run.preview_jpeg", fail)
    async with serve(settings) as client, worker(settings):
        task = await submit(client, prompt="slow 0.02", steps=10, partial_images=3)
        async with asyncio.timeout(20):
            told = await follow(client, f"/api/tasks/{task['id']}/events")
    assert told[-1][2]["status"] == "succeeded"


def test_a_preview_is_short_enough_for_every_replica() -> None:
    noise = Image.effect_noise((192, 192), 100).convert("RGB")  # the largest, and the worst
    assert len(previews.preview_jpeg(lambda: noise)) < 32_000


def test_an_event_of_an_older_worker_is_read() -> None:
    text = json.dumps(
        {"task_id": "01a21717-459c-72c7-95a8-257770db7f53", "status": "running", "step": 3}
    )
    event = Event.from_json(text)
    assert (event.status, event.step, event.partial_image) == (Status.RUNNING, 3, None)
