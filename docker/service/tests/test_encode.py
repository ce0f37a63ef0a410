"""What a client is given: the picture to the last bit, and how it was made."""

import json
import random
from io import BytesIO

import pytest
from PIL import ExifTags, Image, ImageChops, features

from tasks.parameters import ImageFormat, Parameters
from worker.encode import encode

WIDTH, HEIGHT = 264, 256


def picture(kind: str) -> Image.Image:
    if kind == "noise":
        return Image.frombytes(
            "RGB", (WIDTH, HEIGHT), random.Random(1).randbytes(3 * WIDTH * HEIGHT)
        )
    if kind == "gradient":
        return Image.merge("RGB", [Image.linear_gradient("L").resize((WIDTH, HEIGHT))] * 3)
    return Image.new("RGB", (WIDTH, HEIGHT), (255, 0, 1))


def parameters(**values: object) -> Parameters:
    return Parameters.model_validate(
        {"prompt": "a lighthouse", "width": WIDTH, "height": HEIGHT, "seed": 7} | values
    )


@pytest.mark.parametrize("kind", ["noise", "gradient", "flat"])
def test_a_png_holds_every_pixel(kind: str) -> None:
    data = encode(picture(kind), parameters(), 0)
    decoded = Image.open(BytesIO(data))
    assert decoded.mode == "RGB"
    assert ImageChops.difference(decoded, picture(kind)).getbbox() is None
    assert encode(picture(kind), parameters(), 0) == data


@pytest.mark.parametrize("kind", ["noise", "gradient", "flat"])
def test_a_png_is_about_as_small_as_pillows(kind: str) -> None:
    pillows = BytesIO()
    picture(kind).save(pillows, "PNG")
    assert len(encode(picture(kind), parameters(), 0)) < 1.2 * len(pillows.getvalue()) + 2_000


@pytest.mark.parametrize("prompt", ["a lighthouse", "ein Leuchtturm für Zoë", "灯台 🗼"])
def test_a_png_says_how_it_was_made(prompt: str) -> None:
    decoded = Image.open(BytesIO(encode(picture("flat"), parameters(prompt=prompt), 2)))
    decoded.load()
    assert decoded.text["prompt"] == prompt
    assert decoded.text["seed"] == str(parameters(prompt=prompt).image_seed(2))
    made = json.loads(decoded.text["parameters"])
    assert (made["width"], made["height"]) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("kind", [ImageFormat.JPEG, ImageFormat.WEBP])
@pytest.mark.parametrize("prompt", ["a lighthouse", "灯台 🗼", "🗼" * 32_000], ids=len)
def test_a_jpeg_and_a_webp_say_it_too(kind: ImageFormat, prompt: str) -> None:
    asked = parameters(prompt=prompt, negative_prompt=prompt, format=kind)
    decoded = Image.open(BytesIO(encode(picture("flat"), asked, 2)))
    comment = decoded.getexif().get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment]
    assert comment.startswith(b"UNICODE\0")
    made = json.loads(comment[8:].decode("utf-16-be"))
    assert made["seed"] == asked.image_seed(2)
    assert (made["width"], made["height"]) == (WIDTH, HEIGHT)
    for name in ("prompt", "negative_prompt"):
        assert made[name]
        assert prompt.startswith(made[name])
    if len(prompt) < 100:
        assert made["prompt"] == prompt


@pytest.mark.parametrize("kind", [ImageFormat.JPEG, ImageFormat.WEBP])
def test_quality_is_what_was_asked_for(kind: ImageFormat) -> None:
    sizes = [
        len(encode(picture("noise"), parameters(format=kind, quality=quality), 0))
        for quality in (0, 50, 100)
    ]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("kind", [ImageFormat.JPEG, ImageFormat.WEBP])
def test_other_formats_are_what_they_say(kind: ImageFormat) -> None:
    if kind is ImageFormat.WEBP and not features.check("webp"):
        pytest.skip("this Pillow has no WebP")
    decoded = Image.open(BytesIO(encode(picture("gradient"), parameters(format=kind), 0)))
    assert decoded.format == kind.name
    assert decoded.size == (WIDTH, HEIGHT)
