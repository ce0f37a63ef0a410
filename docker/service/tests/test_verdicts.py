"""What the safety checker found, and how large a picture became, as clients are told."""

import base64
import io
import json
from typing import Any
from uuid import UUID

import httpx
import openai
import pytest
from PIL import Image

from api.webhooks import message
from core.settings import Companion, Settings
from tasks.store import TaskStore
from tests.service import SMALL, serve, worker
from tests.test_api import until_final
from tests.test_openai_edits import PICTURE


async def made(client: httpx.AsyncClient, prompt: str, **more: Any) -> Any:
    response = await client.post("/api/generate", json=SMALL | {"prompt": prompt} | more)
    assert response.status_code == 200, response.text
    return response.json()["images"]


@pytest.mark.parametrize(("word", "flagged"), [("flagged", True), ("passed", False), ("a", None)])
async def test_a_task_has_the_verdict_of_each_picture(
    client: httpx.AsyncClient, word: str, flagged: bool | None
) -> None:
    images = await made(client, f"{word} cat", num_images=2)
    assert [image["flagged"] for image in images] == [flagged, flagged]
    (task,) = (await client.get("/api/tasks")).json()["tasks"]
    assert [image["flagged"] for image in task["images"]] == [flagged, flagged]


@pytest.mark.parametrize(("word", "flagged"), [("flagged", True), ("passed", False)])
@pytest.mark.parametrize("form", ["url", "b64_json"])
async def test_openais_client_is_told(
    openai_client: openai.AsyncOpenAI, word: str, flagged: bool, form: Any
) -> None:
    answer = await openai_client.images.generate(
        prompt=f"{word} cat", size="256x256", n=2, response_format=form
    )
    assert answer.data
    for picture in answer.data:
        assert picture.flagged is flagged  # type: ignore[attr-defined]
        assert getattr(picture, form)


async def test_without_a_checker_openais_answer_is_openais(
    openai_client: openai.AsyncOpenAI,
) -> None:
    answer = await openai_client.images.generate(prompt="a cat", size="256x256")
    assert answer.data
    assert not hasattr(answer.data[0], "flagged")


async def test_a_stream_says_it_with_the_picture(openai_client: openai.AsyncOpenAI) -> None:
    stream = await openai_client.images.generate(prompt="flagged cat", size="256x256", stream=True)
    (event,) = [event async for event in stream]
    assert event.flagged is True  # type: ignore[union-attr]
    assert base64.b64decode(event.b64_json)


async def test_there_is_nothing_to_enlarge_with(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/generate", json=SMALL | {"upscale": 2})
    assert response.status_code == 422
    (error,) = response.json()["errors"]
    assert (error["field"], error["code"]) == ("upscale", "upscale_off")


class TestWithAnUpscaler:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        it = Companion(repository="owner/upscaler", revision="", sha256="")
        return settings.model_copy(update={"upscaler": it})

    async def test_a_task_says_how_large_its_pictures_are(self, client: httpx.AsyncClient) -> None:
        (image,) = await made(client, "a cat", upscale=2)
        assert (image["width"], image["height"]) == (512, 512)
        file = (await client.get(image["url"], follow_redirects=True)).content
        assert Image.open(io.BytesIO(file)).size == (512, 512)
        (image,) = await made(client, "a cat")
        assert (image["width"], image["height"]) == (256, 256)

    async def test_whoever_is_told_of_it_is_told_its_size(
        self, client: httpx.AsyncClient, store: TaskStore
    ) -> None:
        body = SMALL | {"upscale": 2, "width": 512, "num_images": 2}
        task = (await client.post("/api/generate", json=body)).json()
        record = await store.get(UUID(task["id"]), key_id=None)
        assert record is not None
        (listed,) = (await client.get("/api/tasks")).json()["tasks"]
        for told in (
            task,
            listed,
            (await client.get(f"/api/tasks/{task['id']}")).json(),
            json.loads(message(record))["data"],
        ):
            assert [(it["width"], it["height"]) for it in told["images"]] == [(1024, 512)] * 2

    async def test_a_stream_says_it_with_previews_and_pictures(
        self, openai_client: openai.AsyncOpenAI
    ) -> None:
        wanted: Any = {"stream": True, "partial_images": 1, "extra_body": {"upscale": 2}}
        stream = await openai_client.images.generate(prompt="a cat", size="256x256", **wanted)
        events = [event async for event in stream]
        assert events[-1].type == "image_generation.completed"
        for event in events:
            assert event.size == "512x512"
            picture = Image.open(io.BytesIO(base64.b64decode(event.b64_json)))
            assert picture.size == (512, 512)

    @pytest.mark.stores
    @pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
    async def test_a_worker_that_has_none_leaves_it_to_one_that_has(
        self, clean: None, settings: Settings
    ) -> None:
        """As while workers are restarted with their first one."""
        before = settings.model_copy(update={"upscaler": None, "worker_id": "before"})
        asked = SMALL | {"upscale": 2}
        asynchronously = {"Prefer": "respond-async"}
        async with serve(settings) as client, worker(before):
            tasks = [
                (await client.post("/api/generate", json=asked, headers=asynchronously)).json()
                for _ in range(4)
            ]
            # What it can draw it draws all the same, after those that it cannot.
            assert (await client.post("/api/generate", json=SMALL)).status_code == 200
            async with worker(settings):
                for task in tasks:
                    it = await until_final(client, task["id"])
                    assert it["status"] == "succeeded", it["error"]
                    assert it["images"][0]["width"] == 512

    @pytest.mark.parametrize("times", [1, 3, 4, "2", 2.5])
    async def test_twice_alone(self, client: httpx.AsyncClient, times: Any) -> None:
        response = await client.post("/api/generate", json=SMALL | {"upscale": times})
        assert response.status_code == 422

    async def test_by_openais_routes(
        self, openai_client: openai.AsyncOpenAI, client: httpx.AsyncClient
    ) -> None:
        wanted: Any = {"size": "256x256", "extra_body": {"upscale": 2}}
        for answer in (
            await openai_client.images.generate(
                prompt="a cat", response_format="b64_json", **wanted
            ),
            await openai_client.images.edit(
                prompt="a cat", image=PICTURE, response_format="b64_json", **wanted
            ),
        ):
            assert answer.size == "512x512"  # type: ignore[comparison-overlap]
            assert answer.data
            assert answer.data[0].b64_json
            file = base64.b64decode(answer.data[0].b64_json)
            assert Image.open(io.BytesIO(file)).size == (512, 512)
            assert answer.usage
            assert answer.usage.output_tokens == 512 * 512 // 256

    async def test_the_largest_one_comes_through(self, client: httpx.AsyncClient) -> None:
        (image,) = await made(client, "a cat", upscale=2, width=1536, height=1536)
        file = (await client.get(image["url"], follow_redirects=True)).content
        assert Image.open(io.BytesIO(file)).size == (3072, 3072)
        made_with = json.loads(Image.open(io.BytesIO(file)).info["parameters"])
        assert made_with["upscale"] == 2
