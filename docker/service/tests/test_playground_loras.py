"""The playground where there are LoRAs and an upscaler, in a real browser."""

import re
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Page, expect

from core.settings import Companion, Settings
from tests.service import SMALL
from tests.test_lora_requests import source
from tests.test_playground import (  # noqa: F401
    enter,
    make,
    page,
    photograph,
    photographed,
    pytestmark,
)
from tests.test_playground_source import drawn


@pytest.fixture
def settings(settings: Settings) -> Settings:
    upscaler = Companion(repository="owner/upscaler", revision="", sha256="")
    loras = (source("pixel-art"), source("ink.v2"))
    return settings.model_copy(update={"loras": loras, "upscaler": upscaler})


async def test_one_is_picked_with_its_weight(page: Page, client: httpx.AsyncClient) -> None:
    await enter(page)
    await page.get_by_text("Scheduler, LoRA, and a picture").click()
    await page.get_by_label("LoRA").select_option("ink.v2")
    await page.get_by_label("Weight").fill("0.6")
    await make(page, "by ink")
    parameters, _ = await drawn(page, client)
    assert parameters["loras"] == [{"name": "ink.v2", "weight": 0.6}]


async def test_a_picture_that_was_enlarged_is_shown_with_its_own_size(
    page: Page, client: httpx.AsyncClient
) -> None:
    assert (await client.post("/api/generate", json=SMALL | {"upscale": 2})).status_code == 200
    await enter(page)
    await page.locator("#pictures button").click()
    await expect(page.locator("#caption")).to_contain_text(re.compile(r"^512 \S 512 "))


FIRST = Path(__file__).parents[3] / "docs/first.png"


@photographed
@pytest.mark.parametrize("name", ["mask", "phone"])
async def test_screenshots_of_what_is_picked(page: Page, name: str) -> None:
    if name == "phone":
        await page.set_viewport_size({"width": 360, "height": 740})
    await enter(page)
    await page.get_by_label("Prompt").fill("a white triangle and a small red circle")
    await page.get_by_text("Scheduler, LoRA, and a picture").click()
    await page.get_by_label("Scheduler", exact=True).select_option("dpmpp_2m_karras")
    await page.get_by_label("LoRA").select_option("pixel-art")
    await page.get_by_label("Weight").fill("0.8")
    await page.get_by_label("Picture to draw from").set_input_files(FIRST)
    # By keyboard alone.
    await page.get_by_label("Mask").focus()
    for key in [*["ArrowRight"] * 6, *["ArrowUp"] * 4, *["ArrowLeft"] * 2, *["ArrowDown"] * 2]:
        await page.keyboard.press(key)
        await page.keyboard.press("Space")
    await photograph(page if name == "phone" else page.locator("#form"), f"playground-{name}")
