"""OpenAI's own Python client, which asks a stream for partial images."""

import base64
import io
from typing import Literal

import httpx
import openai
import pytest
from openai.types import ImageGenPartialImageEvent
from PIL import Image

from tests.service import colour, colour_of

pytestmark = [
    pytest.mark.stores,
    pytest.mark.parametrize("settings", ["postgresql"], indirect=True),
]


@pytest.mark.parametrize("output_format", ["png", "jpeg", "webp"])
@pytest.mark.parametrize(("partial_images", "n"), [(0, 1), (1, 1), (3, 1), (2, 2)])
async def test_partial_images_come_before_each_picture(
    openai_client: openai.AsyncOpenAI,
    output_format: Literal["png", "jpeg", "webp"],
    partial_images: int,
    n: int,
) -> None:
    stream = await openai_client.images.generate(
        prompt="slow 0.03",
        size="512x256",
        quality="low",
        n=n,
        stream=True,
        partial_images=partial_images,
        output_format=output_format,
        extra_body={"seed": 7},
    )
    events = [event async for event in stream]
    partials, completed = events[:-n], events[-n:]
    assert [event.type for event in completed] == ["image_generation.completed"] * n
    indexes = []
    for n_, event in enumerate(partials):
        assert isinstance(event, ImageGenPartialImageEvent)
        ImageGenPartialImageEvent.model_validate(event.model_dump(), strict=True)
        indexes.append(event.partial_image_index)
        assert (event.size, event.quality) == ("512x256", "low")
        assert (event.background, event.output_format) == ("opaque", output_format)
        data = base64.b64decode(event.b64_json, validate=True)
        preview = Image.open(io.BytesIO(data))
        assert (preview.size, preview.format) == ((512, 256), output_format.upper())
        drawn = colour("slow 0.03", 7 + n_ // partial_images)
        assert max(abs(a - b) for a, b in zip(colour_of(data), drawn, strict=True)) < 12
    assert indexes == [*range(partial_images)] * n


async def test_partial_images_are_for_those_who_stream(
    openai_client: openai.AsyncOpenAI, client: httpx.AsyncClient
) -> None:
    await openai_client.images.generate(prompt="a cat", size="256x256", partial_images=2)
    (task,) = (await client.get("/api/tasks")).json()["tasks"]
    assert task["parameters"]["partial_images"] == 0
