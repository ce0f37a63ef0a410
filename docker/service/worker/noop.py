"""A model that paints one colour, for tests and for measuring the queue without a GPU."""

import hashlib
import re
import time
from functools import partial

from PIL import Image

from tasks.parameters import Parameters
from worker.inputs import NO_INPUTS, Inputs
from worker.model import (
    FLAGGED,
    PROMPT_TOKENS,
    LoraMissing,
    OnPreview,
    OnStep,
    OutOfMemory,
    Poisoned,
    UpscalerMissing,
    no_preview,
)
from worker.previews import preview_steps


class NoopModel:
    """What it does besides is in the prompt: `slow SECONDS` a step, or a way to fail."""

    def __init__(self, *, enlarges: bool = False) -> None:
        self._enlarges = enlarges

    def generate(
        self,
        parameters: Parameters,
        numbers: range,
        on_step: OnStep,
        on_preview: OnPreview = no_preview,
        inputs: Inputs = NO_INPUTS,
    ) -> list[Image.Image]:
        if parameters.upscale and not self._enlarges:
            raise UpscalerMissing
        previews = preview_steps(parameters)
        slow = re.search(r"slow ([\d.]+)", parameters.prompt)
        for step in range(1, parameters.drawn_steps + 1):
            if slow:
                time.sleep(float(slow[1]))
            on_step(step)
            for n in numbers if step in previews else ():
                on_preview(n, previews[step], partial(self._paint_preview, parameters, n))
        if parameters.prompt.startswith("fail"):
            raise ValueError("this prompt always fails")
        if parameters.prompt.startswith("out of memory"):
            raise OutOfMemory("this prompt needs too much")
        if parameters.prompt.startswith("no lora"):
            raise LoraMissing("lost")
        if parameters.prompt.startswith("poison"):
            raise Poisoned("this prompt breaks the GPU")
        painted = (_over(inputs, self._paint(parameters, n), parameters) for n in numbers)
        return [picture.resize(parameters.size) for picture in painted]

    def _paint(self, parameters: Parameters, n: int) -> Image.Image:
        text = f"{parameters.prompt}|{parameters.image_seed(n)}"
        red, green, blue = hashlib.sha256(text.encode()).digest()[:3]
        picture = Image.new("RGB", (parameters.width, parameters.height), (red, green, blue))
        picture.info[PROMPT_TOKENS] = len(parameters.prompt.split())
        if parameters.prompt.startswith(("passed", "flagged")):
            picture.info[FLAGGED] = parameters.prompt.startswith("flagged")
        return picture

    def _paint_preview(self, parameters: Parameters, n: int) -> Image.Image:
        return self._paint(parameters, n).reduce(8)

    def compile(self) -> None:
        """There is nothing to."""

    def memory_used(self) -> dict[str, int]:
        return {"cpu": 0}


def _over(inputs: Inputs, picture: Image.Image, parameters: Parameters) -> Image.Image:
    """As strong as asked for, over the image that it is drawn from."""
    if inputs.image is None:
        return picture
    share = parameters.drawn_steps / parameters.steps
    drawn = inputs.kept(Image.blend(inputs.image, picture, share))
    drawn.info = picture.info
    return drawn
