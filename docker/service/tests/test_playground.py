"""The page at / in a real browser: Debian's headless Chromium."""

import io
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from PIL import Image
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.service import SECRET, colour

expect.set_options(timeout=15_000)

_CHROMIUM = shutil.which("chromium-headless-shell") or shutil.which("chromium")

pytestmark = [
    pytest.mark.skipif(
        _CHROMIUM is None and "CI" not in os.environ,
        reason="needs chromium-headless-shell on the PATH",
    ),
    pytest.mark.parametrize("settings", ["sqlite"], indirect=True),
]


@pytest.fixture
async def page(client: httpx.AsyncClient) -> AsyncIterator[Page]:
    """The page, and the promise that the browser has nothing to complain about."""
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=_CHROMIUM, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        page = await browser.new_page(viewport={"width": 1100, "height": 680})
        page.set_default_timeout(15_000)
        # A violated Content-Security-Policy is reported here too.
        page.on(
            "console",
            lambda it: complaints.append(it.text) if it.type in ("error", "warning") else None,
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.goto(str(client.base_url))
        yield page
        await browser.close()
    refused = "the server responded with a status of"  # tests provoke answers other than 200
    assert [it for it in complaints if refused not in it] == []


async def enter(page: Page) -> None:
    await page.get_by_label("API key").fill(SECRET)
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Prompt")).to_be_focused()


async def make(page: Page, prompt: str, seed: int = 7, steps: int = 2) -> None:
    await page.get_by_label("Prompt").fill(prompt)
    await page.get_by_label("Size").select_option("256x256")
    await page.get_by_label("Steps").fill(str(steps))
    await page.get_by_label("Seed").fill(str(seed))
    await page.get_by_role("button", name="Make a picture").click()


async def shown(page: Page) -> tuple[int, ...]:
    """The colour of the picture that the page shows."""
    pixels = Image.open(io.BytesIO(await page.locator("#picture").screenshot())).convert("RGB")
    pixel = pixels.getpixel((128, 128))
    assert isinstance(pixel, tuple)
    return pixel


async def test_makes_a_picture_and_shows_each_step(page: Page) -> None:
    await enter(page)
    await make(page, "slow 0.3 lighthouse", steps=12)
    status = page.get_by_role("status")
    await expect(status).to_have_text(re.compile(r"^Step [1-9]\d? of 12$"))
    await expect(page.locator("#queue")).to_contain_text("1 drawing · 1 worker")
    await expect(page.locator("#caption")).to_contain_text("· 12 steps · seed 7 ·")
    assert await shown(page) == colour("slow 0.3 lighthouse", 7)
    await expect(page.locator("#pictures img")).to_have_count(1)


async def test_works_by_keyboard_alone(page: Page) -> None:
    keyboard = page.keyboard
    # The key's field has the focus from the start, then the prompt's.
    await expect(page.get_by_label("API key")).to_be_focused()
    await keyboard.type(SECRET)
    await keyboard.press("Enter")
    await expect(page.get_by_label("Prompt")).to_be_focused()
    await keyboard.type("by keyboard")
    for name, value in (("Size", "256x256"), ("Steps", "2"), ("Seed", "9")):
        await keyboard.press("Tab")
        await expect(page.get_by_label(name)).to_be_focused()
        await keyboard.type(value)
    await keyboard.press("Shift+Tab")
    await keyboard.press("Shift+Tab")
    await keyboard.press("Shift+Tab")
    await keyboard.press("Control+Enter")
    await expect(page.locator("#caption")).to_contain_text("2 steps · seed 9")
    # Recent pictures are buttons: one opens with its parameters.
    await page.get_by_label("Seed").fill("1")
    await page.locator("#pictures button").focus()
    await keyboard.press("Enter")
    await expect(page.get_by_label("Seed")).to_have_value("9")


async def test_cancels_a_picture_in_the_making(page: Page) -> None:
    await enter(page)
    await make(page, "slow 0.2 mountain", steps=100)
    await expect(page.get_by_role("status")).to_contain_text("Step")
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.locator("#error")).to_have_text("Cancelled.")
    await expect(page.get_by_role("button", name="Make a picture")).to_be_enabled()


async def test_goes_on_after_a_reload(page: Page) -> None:
    await enter(page)
    await make(page, "slow 0.5 river", steps=10)
    await expect(page.get_by_role("status")).to_have_text(re.compile("Step [1-9]"))
    await page.reload()
    await expect(page.get_by_role("status")).to_contain_text("of 10")
    await expect(page.locator("#caption")).to_contain_text("10 steps")


async def test_says_what_is_wrong(page: Page) -> None:
    await page.get_by_label("API key").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert").first).to_have_text("This key is not valid.")
    await enter(page)
    await make(page, "out of memory")
    await expect(page.locator("#error")).to_have_text(
        "The picture does not fit into the GPU's memory."
    )


async def test_fits_a_phone(page: Page) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    await enter(page)
    await make(page, "on a phone")
    await expect(page.locator("#caption")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    low = "[...document.querySelectorAll('button, input, select')].filter(it => it.offsetHeight)"
    assert await page.evaluate(f"Math.min(...{low}.map(it => it.offsetHeight))") >= 44


async def test_the_policy_lets_nothing_in_from_outside(client: httpx.AsyncClient) -> None:
    files = ("/", "/playground.js", "/source.js", "/playground.css", "/icon.svg")
    for path in (*files, "/operator", "/operator.js", "/operator.css"):
        response = await client.get(path)
        assert response.status_code == 200
        policy = response.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert "http:" not in response.text.replace("http://www.w3.org/2000/svg", "")
        assert "https:" not in response.text


photographed = pytest.mark.skipif(
    "PLAYGROUND_SCREENSHOTS" not in os.environ, reason="writes the README's pictures, to docs/"
)


async def photograph(it: Page | Locator, name: str) -> None:
    await it.screenshot(path=Path(os.environ["PLAYGROUND_SCREENSHOTS"]) / f"{name}.png")


@photographed
async def test_screenshot(page: Page) -> None:
    await enter(page)
    for seed, prompt in enumerate(["a fox in snow", "a harbour at night", "a lighthouse at dawn"]):
        await make(page, prompt, seed)
        await expect(page.locator("#caption")).to_contain_text(f"seed {seed}")
    await make(page, "slow 0.2 mountain lake", 3, steps=30)
    await expect(page.get_by_role("status")).to_have_text(re.compile("Step 1\\d"))
    await photograph(page, "playground")
