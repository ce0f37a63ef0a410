"""What SDXL's latents look like, without its decoder.

Their four channels are near to brightness, two colours and a pattern, so that one product with a
matrix gives a picture of an eighth of the size. It is made on the CPU: the GPU only copies 256 kB,
in the order of its work, and nothing waits for that.
"""

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any

import torch
from PIL import Image

from worker.model import OnPreview

# https://huggingface.co/docs/diffusers/using-diffusers/callback, "Display image after each
# generation step"; T. A. Vass found them: https://huggingface.co/blog/TimothyAlexisVass/
# explaining-the-sdxl-latent-space.
TO_RGB = torch.tensor(
    [[60.0, 60.0, 60.0], [-60.0, -5.0, 10.0], [25.0, 15.0, -5.0], [-70.0, -50.0, -35.0]]
)
GREY = torch.tensor([150.0, 140.0, 130.0])
"""What latents of zero are; TO_RGB has what each channel adds. Of 255."""


def to_image(latents: torch.Tensor) -> Image.Image:
    """Of one picture: channels, rows, columns."""
    pixels = latents.float().permute(1, 2, 0) @ TO_RGB + GREY
    return Image.fromarray(pixels.clamp(0, 255).round().to(torch.uint8).numpy())


class Predictions:
    """What each step of a scheduler takes for the finished latents: early on, the latents
    themselves are mostly noise."""

    def __init__(self, scheduler: Any) -> None:
        self.latest: torch.Tensor | None = None
        step = scheduler.step

        @wraps(step)  # the pipeline asks which arguments it takes
        def predicting_step(*arguments: Any, **options: Any) -> Any:
            result = step(*arguments, **options)
            # Euler, DDIM and most others give it as the second; who gives none is shown as it is.
            self.latest = result[1] if len(result) > 1 else result[0]
            return result

        scheduler.step = predicting_step


class Previews:
    """Of one batch: taken when their step is queued on the GPU, shown when it is done."""

    def __init__(
        self, steps: dict[int, int], numbers: Sequence[int], on_preview: OnPreview
    ) -> None:
        self._steps = steps
        self._numbers = numbers
        self._on_preview = on_preview
        self._taken: dict[int, torch.Tensor] = {}

    def queued(self, step: int, latents: torch.Tensor | None) -> None:
        if step in self._steps and latents is not None:
            on_gpu = latents.is_cuda
            host = torch.empty(latents.shape, dtype=latents.dtype, pin_memory=on_gpu)
            self._taken[step] = host.copy_(latents, non_blocking=on_gpu)

    def done(self, step: int) -> None:
        if (taken := self._taken.pop(step, None)) is None:
            return
        for n, latents in zip(self._numbers, taken, strict=True):
            render: Callable[[], Image.Image] = partial(to_image, latents)
            self._on_preview(n, self._steps[step], render)
