"""The playground draws from pictures, in a real browser."""

import io

import httpx
from PIL import Image
from playwright.async_api import Page, expect

from tests.hostile_pictures import photo, saved
from tests.service import colour
from tests.test_playground import enter, make, page, pytestmark  # noqa: F401

PICTURE = saved(photo((256, 256)), "PNG")


async def drawn(page: Page, client: httpx.AsyncClient) -> tuple[dict[str, object], Image.Image]:
    """The last task's parameters, and its picture."""
    await expect(page.locator("#caption")).to_contain_text("seed 7")
    task = (await client.get("/api/tasks")).json()["tasks"][0]
    content = (await client.get(task["images"][0]["url"])).content
    return task["parameters"], Image.open(io.BytesIO(content)).convert("RGB")


async def choose(page: Page) -> None:
    await enter(page)
    await page.get_by_text("Scheduler, LoRA, and a picture").click()
    file = {"name": "photo.png", "mimeType": "image/png", "buffer": PICTURE}
    await page.get_by_label("Picture to draw from").set_input_files(file)  # type: ignore[arg-type]
    await expect(page.get_by_label("Mask")).to_be_visible()


async def test_a_scheduler_is_picked(page: Page, client: httpx.AsyncClient) -> None:
    await enter(page)
    await page.get_by_text("Scheduler, LoRA, and a picture").click()
    await expect(page.get_by_label("LoRA")).to_be_hidden()
    await page.get_by_label("Scheduler", exact=True).select_option("ddim")
    await make(page, "by ddim")
    assert (await drawn(page, client))[0]["scheduler"] == "ddim"


async def test_what_is_painted_is_drawn_and_the_rest_stays(
    page: Page, client: httpx.AsyncClient
) -> None:
    await choose(page)
    await page.get_by_label("Strength").fill("1")
    await page.get_by_label("Mask").scroll_into_view_if_needed()
    box = await page.get_by_label("Mask").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.5)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + box["height"] * 0.5, steps=20)
    await page.mouse.up()
    await make(page, "a hat")
    parameters, picture = await drawn(page, client)
    assert parameters["strength"] == 1
    for at in ((80, 128), (128, 128), (176, 128)):
        assert picture.getpixel(at) == colour("a hat", 7)
    for at in ((5, 5), (200, 60), (30, 240)):
        assert picture.getpixel(at) == photo((256, 256)).getpixel(at)


async def test_a_mask_is_painted_by_keyboard_alone(page: Page, client: httpx.AsyncClient) -> None:
    await choose(page)
    await page.get_by_label("Mask").focus()
    for _ in range(5):
        await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Space")
    await make(page, "a hat")
    parameters, picture = await drawn(page, client)
    assert parameters["mask"]
    x = 128 + round(5 * 0.03 * 256)
    assert picture.getpixel((x, 128)) != photo((256, 256)).getpixel((x, 128))
    assert picture.getpixel((x, 60)) == photo((256, 256)).getpixel((x, 60))


async def test_a_picture_is_dropped_and_without_a_mask_all_of_it_changes(
    page: Page, client: httpx.AsyncClient
) -> None:
    await enter(page)
    data = await page.evaluate_handle(
        """(bytes) => {
          const data = new DataTransfer();
          data.items.add(new File([new Uint8Array(bytes)], "photo.png", { type: "image/png" }));
          return data;
        }""",
        list(PICTURE),
    )
    await page.locator("#form").dispatch_event("drop", {"dataTransfer": data})
    await expect(page.get_by_label("Mask")).to_be_visible()
    await make(page, "a hat")
    parameters, picture = await drawn(page, client)
    assert parameters["image"]
    assert parameters["mask"] is None
    assert picture.getpixel((5, 5)) != photo((256, 256)).getpixel((5, 5))
    await page.get_by_role("button", name="Remove picture").click()
    await expect(page.get_by_label("Mask")).to_be_hidden()


async def test_what_is_no_picture_says_so(page: Page) -> None:
    await enter(page)
    await page.get_by_text("Scheduler, LoRA, and a picture").click()
    file = {"name": "photo.png", "mimeType": "image/png", "buffer": b"no picture"}
    await page.get_by_label("Picture to draw from").set_input_files(file)  # type: ignore[arg-type]
    await expect(page.locator("#error")).to_contain_text("no picture")


async def test_it_fits_a_phone(page: Page) -> None:
    await page.set_viewport_size({"width": 360, "height": 740})
    await choose(page)
    assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    controls = "[...document.querySelectorAll('button, input, select, summary')]"
    heights = f"{controls}.map(it => it.offsetHeight).filter(it => it)"
    assert await page.evaluate(f"Math.min(...{heights})") >= 44
