"""What the safety checker found, and how large a picture became, as clients are told."""

import base64
import io
import json
from typing import Any

import httpx
import openai
import pytest
from PIL import Image

from core.settings import Companion, Settings
from tests.service import SMALL
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
