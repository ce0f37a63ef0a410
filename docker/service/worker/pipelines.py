"""diffusers' pipelines, for modules that stay on one device.

Before each picture diffusers looks through all 1,900 modules of a UNet for hooks that would move
them: 9 ms, in which the GPU waits.
"""

from functools import cached_property

import torch
from diffusers import (
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
)


class _Resident:
    @cached_property
    def _execution_device(self) -> torch.device:
        return next(self.unet.parameters()).device  # type: ignore[attr-defined]


class TextToImage(_Resident, StableDiffusionXLPipeline):  # type: ignore[misc]
    pass


class ImageToImage(_Resident, StableDiffusionXLImg2ImgPipeline):  # type: ignore[misc]
    pass


class Inpaint(_Resident, StableDiffusionXLInpaintPipeline):  # type: ignore[misc]
    pass
