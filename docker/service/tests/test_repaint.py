"""Pictures drawn from pictures: the real diffusers code on a tiny model."""

from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

torch = pytest.importorskip("torch")

from tasks.parameters import Parameters  # noqa: E402
from tests.hostile_pictures import photo  # noqa: E402
from tests.test_sdxl import compiled, difference, model, path, psnr  # noqa: E402, F401
from worker.inputs import Inputs  # noqa: E402
from worker.model import OutOfMemory  # noqa: E402
from worker.sdxl import SdxlModel  # noqa: E402

pytestmark = pytest.mark.model

IMAGE = photo((256, 256))
FROM_IMAGE = Parameters(
    prompt="a cat",
    width=256,
    height=256,
    steps=10,
    seed=7,
    image="01900000-0000-7000-8000-000000000000",
    strength=0.5,
)
MASK = Image.new("L", (256, 256))
MASK.paste(255, (96, 96, 160, 160))


def draw(model: SdxlModel, inputs: Inputs, n: int = 0, **change: Any) -> Image.Image:
    parameters = FROM_IMAGE.model_copy(update=change)
    return model.generate(parameters, range(n, n + 1), lambda _: None, inputs=inputs)[0]


def encoded(model: SdxlModel) -> Image.Image:
    """What the autoencoder alone makes of the image."""
    return model._decode(model._repainter._encode(IMAGE))[0]


@pytest.mark.parametrize("mask", [None, MASK], ids=["image", "mask"])
@pytest.mark.parametrize("strength", [0.01, 0.5, 1.0])
def test_the_same_seed_draws_the_same_picture_and_another_another(
    model: SdxlModel, mask: Image.Image | None, strength: float
) -> None:
    inputs = Inputs(IMAGE, mask)
    first = draw(model, inputs, strength=strength)
    assert difference(first, draw(model, inputs, strength=strength)) == 0
    assert difference(first, draw(model, inputs, strength=strength, seed=8)) > 0
    assert difference(first, draw(model, inputs, strength=strength, prompt="a dog")) > 0


def test_the_stronger_the_less_of_the_image_is_left(model: SdxlModel) -> None:
    left = [
        psnr(draw(model, Inputs(IMAGE), strength=strength, steps=20), encoded(model))
        for strength in (0.05, 0.3, 1.0)
    ]
    print(left)
    assert left == sorted(left, reverse=True)


@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_what_the_mask_leaves_out_stays_to_the_pixel(model: SdxlModel, strength: float) -> None:
    drawn = draw(model, Inputs(IMAGE, MASK), strength=strength)
    changed = ImageChops.difference(drawn, IMAGE).getbbox()
    assert changed is not None
    left, upper, right, lower = changed
    assert 96 <= left < right <= 160
    assert 96 <= upper < lower <= 160


def test_a_stroke_finer_than_a_latent_is_drawn(model: SdxlModel) -> None:
    stroke = Image.new("L", (256, 256))
    stroke.paste(255, (131, 10, 133, 200))
    assert ImageChops.difference(draw(model, Inputs(IMAGE, stroke), strength=1.0), IMAGE).getbbox()


@pytest.mark.parametrize(
    ("steps", "strength", "drawn"),
    [(10, 0.5, 5), (3, 0.1, 1), (1, 0.3, 1), (10, 1.0, 10), (100, 0.29, 28)],
)
@pytest.mark.parametrize("mask", [None, MASK], ids=["image", "mask"])
def test_as_many_steps_are_drawn_and_told_as_the_task_says(
    model: SdxlModel, steps: int, strength: float, drawn: int, mask: Image.Image | None
) -> None:
    parameters = FROM_IMAGE.model_copy(update={"steps": steps, "strength": strength})
    told: list[int] = []
    model.generate(parameters, range(1), told.append, inputs=Inputs(IMAGE, mask))
    assert told == list(range(1, drawn + 1))
    assert parameters.drawn_steps == drawn


@pytest.mark.parametrize("mask", [None, MASK], ids=["image", "mask"])
def test_pictures_drawn_at_once_are_those_drawn_alone(
    model: SdxlModel, mask: Image.Image | None
) -> None:
    inputs = Inputs(IMAGE, mask)
    for n, picture in enumerate(
        model.generate(FROM_IMAGE, range(2), lambda _: None, inputs=inputs)
    ):
        assert difference(picture, draw(model, inputs, n)) <= 1


@pytest.mark.parametrize("mask", [None, MASK], ids=["image", "mask"])
def test_the_picture_is_that_of_plain_diffusers(
    model: SdxlModel, path: Path, mask: Image.Image | None
) -> None:
    import diffusers

    kind = "Img2Img" if mask is None else "Inpaint"
    load = getattr(diffusers, f"StableDiffusionXL{kind}Pipeline").from_pretrained
    plain = load(path, add_watermarker=False)
    picture = plain(
        prompt=FROM_IMAGE.prompt,
        num_inference_steps=FROM_IMAGE.steps,
        strength=0.5,
        guidance_scale=FROM_IMAGE.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(FROM_IMAGE.seed),
        image=model._repainter._encode(IMAGE),
        **({} if mask is None else {"mask_image": mask, "width": 256, "height": 256}),
    ).images[0]
    expected = picture if mask is None else Image.composite(picture, IMAGE, mask)
    assert difference(draw(model, Inputs(IMAGE, mask)), expected) <= 1


def test_it_leaves_nothing_behind_for_the_picture_from_text_alone(model: SdxlModel) -> None:
    text = FROM_IMAGE.model_copy(update={"image": None, "strength": None})
    before = model.generate(text, range(1), lambda _: None)[0]
    draw(model, Inputs(IMAGE, MASK))
    assert difference(before, model.generate(text, range(1), lambda _: None)[0]) == 0


def test_nothing_is_compiled_for_it(path: Path, compiled: list[Any]) -> None:
    ready = SdxlModel(path, [(256, 256)])
    at_start = len(compiled)
    for mask in (None, MASK):
        for strength in (0.3, 1.0):
            draw(ready, Inputs(IMAGE, mask), strength=strength)
    assert len(compiled) == at_start


def test_a_full_gpu_draws_it_in_tiles(model: SdxlModel, monkeypatch: pytest.MonkeyPatch) -> None:
    def out_of_memory(*_args: Any, **_options: Any) -> Any:
        raise torch.OutOfMemoryError

    monkeypatch.setattr(model._pipeline.vae, "encode", out_of_memory)
    with pytest.raises(OutOfMemory):
        draw(model, Inputs(IMAGE))
