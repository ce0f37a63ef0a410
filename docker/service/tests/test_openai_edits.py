"""OpenAI's own Python client edits pictures, unchanged."""

import base64
import io
from typing import Any, get_type_hints

import httpx
import openai
import pytest
from openai.types import ImageEditCompletedEvent, ImageEditPartialImageEvent
from openai.types.image_edit_params import ImageEditParamsStreaming
from PIL import Image

from api.openai_edits import EditsRequest
from tests.hostile_pictures import photo, saved
from tests.service import SECRET, colour
from tests.test_inputs import files

pytestmark = pytest.mark.parametrize("settings", ["postgresql"], indirect=True)

PICTURE = ("photo.png", saved(photo((256, 256)), "PNG"), "image/png")

_FORM = b'--x\r\nContent-Disposition: form-data; name="image"; filename="image.png"\r\n\r\n'


def mask() -> bytes:
    """The lower half can be seen through."""
    hole = photo((256, 256)).convert("RGBA")
    hole.paste((0, 0, 0, 0), (0, 128, 256, 256))
    return saved(hole, "PNG")


def opened(answer: Any) -> Image.Image:

    return Image.open(io.BytesIO(base64.b64decode(answer.b64_json))).convert("RGB")


async def test_every_field_that_the_client_knows_has_an_answer(settings: Any) -> None:
    known = {*EditsRequest.model_fields, "image", "mask"}
    assert set(get_type_hints(ImageEditParamsStreaming)) <= known


@pytest.mark.parametrize(
    "field",
    [
        {},
        {"n": 2, "quality": "low", "size": "256x256", "output_format": "webp"},
        {"size": "auto", "user": "u", "background": "opaque", "output_compression": 100},
        {"input_fidelity": "high"},
        {"extra_body": {"seed": 7, "strength": 0.25, "negative_prompt": "fog", "steps": 4}},
        {"image": [PICTURE]},
        {"n": None, "size": None},
    ],
    ids=str,
)
async def test_what_it_can_send_is_taken(
    openai_client: openai.AsyncOpenAI,
    field: dict[str, Any],
) -> None:
    edit = {"image": PICTURE, "prompt": "a hat", "model": "gpt-image-2"} | field
    answer = await openai_client.images.edit(**edit)
    assert len(answer.data or []) == (field.get("n") or 1)
    assert answer.size == "256x256", "the picture's own, unless another is asked for"


async def test_what_can_be_seen_through_is_drawn_and_the_rest_stays(
    openai_client: openai.AsyncOpenAI,
) -> None:
    answer = await openai_client.images.edit(
        image=PICTURE,
        mask=("mask.png", mask(), "image/png"),
        prompt="a hat",
        model="gpt-image-2",
        extra_body={"seed": 7, "strength": 1},
    )
    assert answer.data
    drawn = opened(answer.data[0])
    upper = (0, 0, 256, 128)
    assert drawn.crop(upper).tobytes() == photo((256, 256)).crop(upper).tobytes()
    assert drawn.getpixel((100, 200)) == colour("a hat", 7)


async def test_events_are_those_of_an_edit(
    openai_client: openai.AsyncOpenAI,
) -> None:
    stream = await openai_client.images.edit(
        image=PICTURE, prompt="slow 0.05", stream=True, partial_images=1, quality="low"
    )
    events = [event async for event in stream]
    assert [type(event) for event in events] == [
        ImageEditPartialImageEvent,
        ImageEditCompletedEvent,
    ]


@pytest.mark.parametrize(
    ("field", "param"),
    [
        ({"image": [PICTURE, PICTURE]}, "image"),
        ({"image": b"no picture"}, "image"),
        ({"mask": b"no picture"}, "mask"),
        ({"mask": ("mask.png", saved(photo(), "PNG"), "image/png")}, "mask"),
        ({"markup": PICTURE}, "markup"),
        ({"prompt": ""}, "prompt"),
        ({"n": 11}, "n"),
        ({"size": "100x100"}, "size"),
        ({"extra_body": {"strength": 2}}, "strength"),
        ({"extra_body": {"sampler": "euler"}}, "sampler"),
        ({"quality": "max", "extra_body": {"scheduler": "lcm"}}, "scheduler"),
    ],
    ids=[
        "two",
        "image",
        "mask",
        "size of mask",
        "markup",
        "prompt",
        "n",
        "size",
        "strength",
        "x",
        "steps of lcm",
    ],
)
async def test_a_bad_field_is_400_and_named(
    openai_client: openai.AsyncOpenAI,
    settings: Any,
    field: dict[str, Any],
    param: str,
) -> None:
    with pytest.raises(openai.BadRequestError) as error:
        await openai_client.images.edit(**{"image": PICTURE, "prompt": "a hat"} | field)
    assert (error.value.type, error.value.param) == ("invalid_request_error", param)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{}", "application/json", 415),
        (b"--x\r\nno", "multipart/form-data", 400),
        (b"no form", "multipart/form-data; boundary=x", 400),
        (_FORM + bytes(25 * 2**20), "multipart/form-data; boundary=x", 413),
    ],
    ids=["JSON", "no boundary", "no form", "too large"],
)
async def test_what_is_no_form_is_refused(
    client: httpx.AsyncClient, body: bytes, kind: str, status: int
) -> None:
    answer = await client.post("/v1/images/edits", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


async def test_its_repetitions_under_an_idempotency_key_are_one_task_with_one_input(
    openai_client: openai.AsyncOpenAI,
    client: httpx.AsyncClient,
    settings: Any,
) -> None:
    for prompt, picture, status in (
        ("a hat", PICTURE, 200),
        ("a hat", PICTURE, 200),
        ("a hat", saved(photo(), "PNG"), 400),
    ):
        edit = openai_client.images.edit(
            image=picture, prompt=prompt, extra_headers={"Idempotency-Key": "order-1"}
        )
        if status == 200:
            await edit
        else:
            with pytest.raises(openai.BadRequestError):
                await edit
    assert len((await client.get("/api/tasks")).json()["tasks"]) == 1
    assert len(files(settings)) == 1


async def test_through_nginx_the_largest_is_taken_and_what_is_larger_refused_by_either(
    client: httpx.AsyncClient, servers_directory: Any, settings: Any
) -> None:
    import shutil
    from urllib.parse import urlsplit

    from tests import stores

    port = urlsplit(str(client.base_url)).port
    assert port is not None
    directory = servers_directory / "nginx-edits"
    directory.mkdir()
    big = PICTURE[1] + bytes(settings.max_input_bytes - len(PICTURE[1]))
    with stores.nginx(directory, port) as url:
        headers = {"Authorization": f"Bearer {SECRET}"}
        async with httpx.AsyncClient(base_url=url, headers=headers, timeout=60) as through:
            for where in (through, client):
                for file, status in ((big, 201), (big + b"x", 413)):
                    answer = await where.post(
                        "/api/inputs", content=file, headers={"Content-Type": "image/png"}
                    )
                    assert answer.status_code == status
                form = {"image": big, "mask": big}
                answer = await where.post("/v1/images/edits", data={"prompt": "a hat"}, files=form)
                assert answer.status_code == 200, answer.text
                form |= {"mask": big + bytes(2**20)}
                answer = await where.post("/v1/images/edits", data={"prompt": "a hat"}, files=form)
                assert answer.status_code == 413
    shutil.rmtree(directory)
