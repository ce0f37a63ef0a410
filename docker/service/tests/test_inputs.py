"""Pictures that clients send to draw from: taken, refused, kept, deleted."""

import asyncio
import base64
import io
import resource
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from api.inputs import picture_size
from core.settings import Settings
from tests import hostile_pictures
from tests.hostile_pictures import photo, saved
from tests.service import SMALL, colour, serve
from tests.test_api import generate, submit, until_final

HOSTILE = dict(hostile_pictures.refused())
ODD = {name: rest for name, *rest in hostile_pictures.taken()}
PNG = saved(photo((256, 256)), "PNG")


async def send(client: httpx.AsyncClient, file: bytes, kind: str = "image/png") -> httpx.Response:
    return await client.post("/api/inputs", content=file, headers={"Content-Type": kind})


async def sent(client: httpx.AsyncClient, file: bytes) -> str:
    answer = await send(client, file)
    assert answer.status_code == 201, answer.text
    input_id: str = answer.json()["id"]
    return input_id


def files(settings: Settings) -> list[Path]:
    return [path for path in settings.data_dir.glob("inputs/**/*") if path.is_file()]


async def picture_of(client: httpx.AsyncClient, answer: httpx.Response) -> Image.Image:
    assert answer.status_code == 200, answer.text
    content = (await client.get(answer.json()["images"][0]["url"])).content
    return Image.open(io.BytesIO(content)).convert("RGB")


@pytest.mark.timeout(120)
@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_no_hostile_file_is_taken_or_leaves_a_trace(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    assert len(HOSTILE) + len(ODD) >= 40
    answers = await asyncio.gather(*(send(client, file) for file in HOSTILE.values()))
    taken = [
        (name, answer.status_code)
        for name, answer in zip(HOSTILE, answers, strict=True)
        if answer.status_code != 422
    ]
    assert taken == []
    for answer in answers:
        assert answer.json()["errors"][0]["code"] == "unusable_picture"
    assert files(settings) == []
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(f"the largest process took {children // 1024} MiB")
    assert (await generate(client)).status_code == 200


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", ODD)
async def test_odd_pictures_are_kept_upright_and_in_full_colour(
    client: httpx.AsyncClient, settings: Settings, name: str
) -> None:
    file, size, holds = ODD[name]
    answer = await send(client, file)
    assert answer.status_code == 201, answer.text
    assert (answer.json()["width"], answer.json()["height"]) == size
    (kept,) = files(settings)
    picture = Image.open(kept)
    assert picture.format == "PNG"
    assert picture.size == size
    assert set(picture.info) == set(), "it says nothing of where it came from"
    assert holds(picture)


async def test_a_picture_is_drawn_from_an_image_as_strongly_as_asked(
    client: httpx.AsyncClient,
) -> None:
    image = await sent(client, PNG)
    answer = await generate(client, image=image, strength=0.5, steps=4)
    # What the no-op model does: half of it is lost.
    drawn, painted = await picture_of(client, answer), colour("a cat", 7)
    expected = [(a + b) / 2 for a, b in zip((255, 0, 0), painted, strict=True)]
    assert drawn.getpixel((60, 200)) == pytest.approx(expected, abs=1)
    parameters = answer.json()["parameters"]
    assert (parameters["image"], parameters["strength"]) == (image, 0.5)
    assert answer.json()["total_steps"] == 2, "the share of the steps that is drawn"


@pytest.mark.parametrize("see_through", [False, True])
async def test_a_mask_says_what_is_drawn_by_white_or_by_what_can_be_seen_through(
    client: httpx.AsyncClient, see_through: bool
) -> None:
    mask = Image.new("L", (256, 256), 0)
    mask.paste(255, (0, 128, 256, 256))
    if see_through:
        hole = photo((256, 256)).convert("RGBA")
        hole.putalpha(Image.eval(mask, lambda value: 255 - value))
        mask = hole
    names = [await sent(client, file) for file in (PNG, saved(mask, "PNG"))]
    answer = await generate(client, image=names[0], mask=names[1], strength=1.0)
    drawn = await picture_of(client, answer)
    assert (
        drawn.crop((0, 0, 256, 128)).tobytes() == photo((256, 256)).crop((0, 0, 256, 128)).tobytes()
    )
    assert drawn.getpixel((60, 200)) == colour("a cat", 7)


async def test_a_data_url_does_as_well(client: httpx.AsyncClient, settings: Settings) -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    answer = await generate(client, image=url)
    assert answer.json()["parameters"]["strength"] == 0.75
    assert len(answer.json()["parameters"]["image"]) == 36
    assert len(files(settings)) == 1


async def test_the_picture_has_the_images_shape_unless_it_is_asked_for_another(
    client: httpx.AsyncClient,
) -> None:
    image = await sent(client, saved(photo((512, 300)), "PNG"))
    body = {"prompt": "a cat", "steps": 2, "image": image}
    for size, expected in (({}, (512, 304)), ({"width": 256, "height": 512}, (256, 512))):
        answer = await client.post("/api/generate", json=body | size)
        assert (await picture_of(client, answer)).size == expected


@pytest.mark.parametrize(
    ("image", "picture"),
    [
        ((1024, 1024), (1024, 1024)),
        ((2048, 2048), (1024, 1024)),
        ((640, 480), (640, 480)),
        ((2048, 1), (2048, 256)),
        ((1, 1), (256, 256)),
        ((2000, 1500), (1184, 888)),
    ],
)
def test_sizes_are_those_that_a_model_draws(
    image: tuple[int, int], picture: tuple[int, int]
) -> None:
    assert picture_size(*image, 1024) == picture


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"image": "00000000-0000-7000-8000-000000000000"}, "image"),
        ({"image": "../../tasks.db"}, "image"),
        ({"image": "https://example.com/cat.png"}, "image"),
        ({"image": "data:image/png;base64,AAAA"}, "image"),
        ({"image": "data:image/png;base64,AAAAA"}, "image"),
        ({"image": "data:image/svg+xml;base64,AAAA"}, "image"),
        ({"image": "https://user:password@example.com/"}, "image"),
        ({"image": "https://example.com:99999/"}, "image"),
        ({"image": "ftp://example.com/cat.png"}, "image"),
        ({"image": "https://example.com/" + "x" * 2000}, "image"),
        ({"mask": "00000000-0000-7000-8000-000000000000"}, "body"),
        ({"image": "OK", "mask": "SMALLER"}, "mask"),
        ({"image": "OK", "strength": 0}, "strength"),
        ({"image": "OK", "strength": 1.1}, "strength"),
    ],
    ids=str,
)
async def test_what_cannot_be_drawn_from_is_named(
    client: httpx.AsyncClient, body: dict[str, Any], field: str
) -> None:
    names = {"OK": PNG, "SMALLER": saved(photo(), "PNG")}
    body = {
        name: await sent(client, names[value]) if value in names else value
        for name, value in body.items()
    }
    answer = await generate(client, **body)
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]
    assert (await client.get("/api/tasks")).json()["tasks"] == []


async def test_one_keys_inputs_are_not_anothers(client: httpx.AsyncClient, engine: Any) -> None:
    from core.keys import KeyStore

    token = await KeyStore(engine).create("other", priority=0, images_per_day=None)
    image = await sent(client, PNG)
    headers = {"Authorization": f"Bearer {token}"}
    answer = await client.post("/api/generate", json=SMALL | {"image": image}, headers=headers)
    assert answer.status_code == 422
    assert (await client.delete(f"/api/inputs/{image}", headers=headers)).status_code == 404


async def test_deleted_inputs_are_gone_and_say_so_to_whoever_draws_from_them(
    client_without_worker: httpx.AsyncClient, settings: Settings
) -> None:
    from tests.service import worker

    client = client_without_worker
    image = await sent(client, PNG)
    task = await submit(client, image=image)
    assert (await client.delete(f"/api/inputs/{image}")).status_code == 204
    assert files(settings) == []
    assert (await client.delete(f"/api/inputs/{image}")).status_code == 404
    async with worker(settings):
        failed = await until_final(client, task["id"])
    assert failed["error"]["code"] == "input_gone"


async def test_a_forgotten_task_takes_its_inputs_along(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    task = (await generate(client, image=await sent(client, PNG))).json()
    forgotten = (await client.delete(f"/api/tasks/{task['id']}")).json()
    assert forgotten["parameters"]["image"] is None
    assert files(settings) == []


async def test_a_repeated_request_keeps_its_input_once(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    url = "data:image/png;base64," + base64.b64encode(PNG).decode()
    for _ in range(2):
        answer = await client.post(
            "/api/generate", json=SMALL | {"image": url}, headers={"Idempotency-Key": "order-1"}
        )
        assert answer.status_code == 200
    assert len(files(settings)) == 1


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
async def test_what_is_too_large_or_no_picture_is_refused_at_once(
    clean: None, settings: Settings
) -> None:
    limited = settings.model_copy(update={"max_input_bytes": 10_000, "max_input_pixels": 5000})
    async with serve(limited) as client:
        assert (await send(client, bytes(10_001))).status_code == 413
        assert (await send(client, PNG, "application/json")).status_code == 415
        large = await send(client, saved(photo(), "PNG"))
        assert "96 x 64 pixels" in large.json()["detail"]
        assert large.status_code == 422


async def test_uploads_are_limited_by_the_minute_as_pictures_are_and_apart_from_them(
    clean: None, settings: Settings
) -> None:
    limited = settings.model_copy(update={"rate_limit": "1/minute"})
    async with serve(limited) as client:
        assert (await send(client, PNG)).status_code == 201
        assert (await send(client, PNG)).status_code == 429
        answer = await client.post("/api/generate", json=SMALL, headers={"Prefer": "respond-async"})
        assert answer.status_code == 202
