"""Pictures drawn from a picture, by diffusers' own pipelines on the modules that are loaded."""

from typing import Any

import torch
from PIL.Image import Image
from torch.nn.functional import interpolate, max_pool2d

from tasks.parameters import Parameters
from worker.inputs import Inputs
from worker.pipelines import ImageToImage, Inpaint, TextToImage


class Repainter:
    def __init__(self, pipeline: TextToImage) -> None:
        self._text = pipeline
        shared = {**pipeline.components, "add_watermarker": False}
        self._image = ImageToImage(**shared)
        self._mask = Inpaint(**shared)
        for it in (self._image, self._mask):
            it.set_progress_bar_config(disable=True)

    def choose(self, parameters: Parameters, inputs: Inputs) -> tuple[Any, dict[str, Any]]:
        """The pipeline for the task, with the scheduler of the one from text, and what it is given
        besides what all are given."""
        size = {"width": parameters.width, "height": parameters.height}
        if inputs.image is None:
            return self._text, size
        given = {"image": self._encode(inputs.image), "strength": _strength(parameters)}
        if inputs.mask is None:
            self._image.scheduler = self._text.scheduler
            return self._image, given
        self._mask.scheduler = self._text.scheduler
        return self._mask, {**given, **size, "mask_image": self._spread(inputs.mask)}

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _encode(self, image: Image) -> torch.Tensor:
        """The likeliest latents. The pipelines would draw some by the seed and, for SDXL, change
        the autoencoder's precision: what is compiled would be lost by that."""
        vae = self._text.vae
        pixels = _tensor(image).to(vae.device, vae.dtype) / 127.5 - 1
        latents: torch.Tensor = vae.encode(pixels).latent_dist.mode()
        # In the order of noise: the UNet is compiled for that alone.
        return latents.contiguous() * vae.config.scaling_factor

    def _spread(self, mask: Image) -> torch.Tensor:
        """A latent is a square of pixels: it is drawn where any of them is."""
        side = self._text.vae_scale_factor
        drawn = (_tensor(mask) >= 128).float()
        return interpolate(max_pool2d(drawn, side), scale_factor=side)


def _tensor(image: Image) -> torch.Tensor:
    """One picture: channels, rows, columns."""
    channels = len(image.getbands())
    flat = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return flat.view(1, image.height, image.width, channels).permute(0, 3, 1, 2).float()


def _strength(parameters: Parameters) -> float:
    """One that makes diffusers draw these steps: it cuts off steps x strength, and refuses 0."""
    return min((parameters.drawn_steps + 0.5) / parameters.steps, 1.0)
