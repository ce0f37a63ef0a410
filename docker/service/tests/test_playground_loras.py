"""The playground's LoRAs, in a real browser."""

import httpx
import pytest
from playwright.async_api import Page

from core.settings import Settings
from tests.test_lora_requests import source
from tests.test_playground import enter, make, page, pytestmark  # noqa: F401
from tests.test_playground_source import drawn


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"loras": (source("pixel-art"), source("ink.v2"))})


async def test_one_is_picked_with_its_weight(page: Page, client: httpx.AsyncClient) -> None:
    await enter(page)
    await page.get_by_text("Scheduler, LoRA, and a picture").click()
    await page.get_by_label("LoRA").select_option("ink.v2")
    await page.get_by_label("Weight").fill("0.6")
    await make(page, "by ink")
    parameters, _ = await drawn(page, client)
    assert parameters["loras"] == [{"name": "ink.v2", "weight": 0.6}]
