"""Models of few steps beside SDXL: each has its own defaults and bounds, by every route."""

from typing import Any

import httpx
import openai
import pytest
from playwright.async_api import Page, expect

from core.settings import Sampling, Settings
from tests import test_playground
from tests.service import serve, worker
from tests.test_openai_edits import PICTURE
from tests.test_playground import enter, page  # noqa: F401

TURBO = Sampling(steps=2, max_steps=4, guidance_scale=0, max_guidance_scale=1, side=512)
"""As https://huggingface.co/stabilityai/sdxl-turbo: 1 to 4 steps, no guidance, 512 pixels."""
SDXL = "noop/sdxl"


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The default model is one of few steps; another is SDXL."""
    more = {"sampling": {settings.model_id: TURBO}, "other_models": (SDXL,)}
    return settings.model_copy(update=more)


async def made(client: httpx.AsyncClient, **body: Any) -> Any:
    answer = await client.post("/api/generate", json={"prompt": "a cat"} | body)
    assert answer.status_code == 200, answer.text
    return answer.json()["parameters"]


async def test_what_is_not_named_is_the_models_own(client: httpx.AsyncClient) -> None:
    asked = await made(client)
    assert (asked["steps"], asked["guidance_scale"]) == (2, 0)
    assert (asked["width"], asked["height"]) == (512, 512)
    asked = await made(client, steps=4, guidance_scale=1, width=256)
    assert (asked["steps"], asked["guidance_scale"]) == (4, 1)
    assert (asked["width"], asked["height"]) == (256, 512)


async def test_what_is_more_than_it_takes_is_refused_by_its_field(
    client: httpx.AsyncClient,
) -> None:
    for field, value in (("steps", 5), ("guidance_scale", 1.5)):
        answer = await client.post("/api/generate", json={"prompt": "a cat", field: value})
        assert answer.status_code == 422
        (error,) = answer.json()["errors"]
        assert (error["field"], error["code"]) == (field, "less_than_equal")


async def test_the_models_say_so(client: httpx.AsyncClient) -> None:
    turbo, sdxl = (await client.get("/v1/models")).json()["data"]
    assert turbo["defaults"] == {"steps": 2, "guidance_scale": 0, "width": 512, "height": 512}
    assert turbo["limits"] == {"steps": 4, "guidance_scale": 1}
    assert sdxl["defaults"] == {"steps": 30, "guidance_scale": 5, "width": 1024, "height": 1024}
    assert sdxl["limits"] == {"steps": 100, "guidance_scale": 30}


@pytest.mark.parametrize(
    ("quality", "steps"), [(None, 2), ("low", 1), ("medium", 2), ("high", 3), ("max", 4)]
)
async def test_openais_quality_is_a_share_of_its_steps_and_is_answered(
    client: httpx.AsyncClient, openai_client: openai.AsyncOpenAI, quality: Any, steps: int
) -> None:
    more: Any = {} if quality is None else {"quality": quality}
    answer = await openai_client.images.generate(prompt="a cat", **more)
    (task,) = (await client.get("/api/tasks?limit=1")).json()["tasks"]
    assert task["parameters"]["steps"] == steps
    assert answer.quality == (quality or "medium")
    assert answer.size == "512x512"  # type: ignore[comparison-overlap]


async def test_openais_routes_refuse_too_and_an_edit_is_as_large_as_it_draws_well(
    client: httpx.AsyncClient, openai_client: openai.AsyncOpenAI
) -> None:
    with pytest.raises(openai.BadRequestError, match="at most 4"):
        await openai_client.images.generate(prompt="a cat", extra_body={"steps": 5})
    await openai_client.images.edit(image=PICTURE, prompt="a cat")
    (task,) = (await client.get("/api/tasks?limit=1")).json()["tasks"]
    assert task["parameters"]["steps"] == 2
    assert (task["parameters"]["width"], task["parameters"]["height"]) == (256, 256)


@pytest.mark.stores
@pytest.mark.parametrize("settings", ["postgresql"], indirect=True)
async def test_another_model_has_its_own(clean: None, settings: Settings) -> None:
    other = {"model_id": SDXL, "named_only": True, "worker_id": "other"}
    async with serve(settings) as client, worker(settings.model_copy(update=other)):
        asked = await made(client, model=SDXL)
        assert (asked["steps"], asked["guidance_scale"], asked["width"]) == (30, 5, 1024)
        assert (await made(client, model=SDXL, steps=50, width=256, height=256))["steps"] == 50


class TestPlayground:
    pytestmark = test_playground.pytestmark

    async def test_it_begins_with_them(self, page: Page) -> None:
        await enter(page)
        await expect(page.get_by_label("Steps")).to_have_value("2")
        await expect(page.get_by_label("Steps")).to_have_attribute("max", "4")
        await expect(page.get_by_label("Size")).to_have_value("512x512")
