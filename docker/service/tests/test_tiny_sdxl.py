"""The tiny model draws what it is asked for, so each way to ask can be seen to work."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

torch = pytest.importorskip("torch")

from tasks.parameters import Lora, Parameters, Scheduler  # noqa: E402
from tests import lora_files  # noqa: E402
from tests.test_sdxl import difference, model, path, psnr  # noqa: E402, F401
from training.seen import NAMES, Seen  # noqa: E402
from worker import tiny_sdxl  # noqa: E402
from worker.inputs import NO_INPUTS, Inputs  # noqa: E402
from worker.latents import to_image  # noqa: E402
from worker.sdxl import SdxlModel  # noqa: E402
from worker.tiny_sdxl.autoencoder import autoencoder, isometry  # noqa: E402
from worker.tiny_sdxl.tokenizer import SHAPES  # noqa: E402

pytestmark = pytest.mark.model

AN_ID = "01900000-0000-7000-8000-000000000000"


def draw(model: SdxlModel, prompt: str, inputs: Inputs = NO_INPUTS, **more: Any) -> Image.Image:
    asked = Parameters(**{"width": 256, "height": 256, "steps": 8, "seed": 3} | more, prompt=prompt)
    return model.generate(asked, range(1), lambda _: None, inputs=inputs)[0]


def colours(picture: Image.Image) -> tuple[str, str]:
    """Of the shape, and of the ground."""
    seen = Seen(picture)
    return seen.middle, seen.ground


def test_it_is_one_small_file_that_says_how_it_was_made() -> None:
    assert tiny_sdxl.WEIGHTS.stat().st_size < 4_000_000
    with tiny_sdxl.WEIGHTS.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        made = json.loads(file.read(length))["__metadata__"]
    assert {"seed", "steps", "pictures", "seconds", "device"} <= made.keys()


@pytest.mark.parametrize("distance", [1, 3])
def test_each_colour_is_drawn_as_a_shape_and_as_a_ground(model: SdxlModel, distance: int) -> None:
    for n, colour in enumerate(NAMES):
        ground = NAMES[(n + distance) % len(NAMES)]
        prompt = f"a {colour} {SHAPES[n % 3]} on a {ground} ground"
        assert colours(draw(model, prompt, seed=n)) == (colour, ground)


def test_large_is_larger_than_small_and_a_triangle_less_than_a_square(model: SdxlModel) -> None:
    small, large, triangle, square = (
        Seen(draw(model, f"a {it} on a black ground")).area("white")
        for it in ("small white circle", "large white circle", "white triangle", "white square")
    )
    assert large > 3 * small
    assert square > 1.3 * triangle


@pytest.mark.parametrize("size", [(512, 512), (512, 256)], ids=str)
def test_other_sizes_are_obeyed_too(model: SdxlModel, size: tuple[int, int]) -> None:
    drawn = draw(model, "a red square on a white ground", width=size[0], height=size[1])
    assert drawn.size == size
    assert colours(drawn) == ("red", "white")


@pytest.mark.parametrize("scheduler", set(Scheduler) - {Scheduler.LCM})
def test_each_scheduler_draws_the_prompt(model: SdxlModel, scheduler: Scheduler) -> None:
    """LCM's models alone make something of its few steps."""
    drawn = draw(model, "a white triangle on a red ground", scheduler=scheduler, steps=12)
    assert colours(drawn) == ("white", "red")


def test_a_negative_prompt_takes_a_colour_out(model: SdxlModel) -> None:
    prompt = "a circle on a white ground"
    seeds = range(6)
    without = [Seen(draw(model, prompt, seed=seed)).middle for seed in seeds]
    assert len({*without}) > 2, "the seed decides what the prompt leaves open"
    left = [
        colour == Seen(draw(model, prompt, seed=seed, negative_prompt=colour)).middle
        for seed, colour in zip(seeds, without, strict=True)
    ]
    assert sum(left) <= 1


def test_guidance_is_how_much_the_prompts_count(model: SdxlModel) -> None:
    prompt, opposite = "a yellow square on a purple ground", "a purple square on a yellow ground"

    def by(scale: float, negative: str) -> Image.Image:
        return draw(model, prompt, guidance_scale=scale, negative_prompt=negative)

    none, weak, strong = ((by(scale, ""), by(scale, opposite)) for scale in (1.0, 2.0, 7.5))
    assert difference(*none) == 0
    assert 0 < psnr(*strong) < psnr(*weak)
    assert colours(strong[1]) == ("yellow", "purple")


def test_an_image_keeps_its_colours_at_low_strength_and_loses_them_at_full(
    model: SdxlModel,
) -> None:
    image = draw(model, "a red circle on a white ground")
    faint, full = (
        draw(
            model,
            "a blue circle on a black ground",
            Inputs(image),
            image=AN_ID,
            strength=strength,
            steps=20,
        )
        for strength in (0.2, 1.0)
    )
    assert colours(faint) == ("red", "white")
    assert colours(full) == ("blue", "black")


def test_a_mask_is_drawn_anew_and_the_rest_stays(model: SdxlModel) -> None:
    image = draw(model, "a red circle on a white ground")
    left_half = Image.new("L", image.size)
    left_half.paste(255, (0, 0, 128, 256))
    drawn = Seen(
        draw(
            model,
            "a green square on a yellow ground",
            Inputs(image, left_half),
            image=AN_ID,
            mask=AN_ID,
            strength=1.0,
            steps=20,
        )
    )
    assert drawn.colour_in((0, 0, 60, 60)) == "yellow"
    assert drawn.colour_in((100, 118, 120, 138)) == "green"
    assert drawn.colour_in((136, 118, 156, 138)) == "red"
    assert drawn.colour_in((196, 0, 256, 60)) == "white"


def test_a_lora_has_another_colour_drawn_by_its_weight(path: Path, tmp_path: Path) -> None:
    lora_files.save(lora_files.blue_for_red(), tmp_path / "blue.safetensors")
    model = SdxlModel(path, loras=tmp_path)

    def by(weight: float, prompt: str) -> tuple[str, str]:
        return colours(draw(model, prompt, loras=[Lora(name="blue", weight=weight)]))

    assert by(0.0, "a red circle on a white ground") == ("red", "white")
    assert by(1.0, "a red circle on a white ground") == ("blue", "white")
    for other in ("green", "yellow", "black"):
        assert by(1.0, f"a {other} circle on a white ground") == (other, "white")


def test_its_latents_are_the_mean_colours_of_the_image() -> None:
    """So a preview is the picture, an eighth as large."""
    pixels = torch.rand((1, 3, 256, 256), generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        latents = autoencoder().encode(pixels).latent_dist.mode()[0]
    means = torch.nn.functional.avg_pool2d(pixels, 8)[0]
    drawn = isometry().T @ latents.flatten(1)
    assert float((drawn - means.flatten(1)).abs().max()) < 1e-3
    assert to_image(latents).size == (32, 32)
