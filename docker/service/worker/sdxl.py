"""Stable Diffusion XL by diffusers: bfloat16 on a GPU, float32 on a CPU."""

import gc
from pathlib import Path
from typing import Any

import diffusers.utils.logging
import torch
import transformers.utils.logging
from diffusers import StableDiffusionXLPipeline
from PIL import Image

from tasks.parameters import Parameters
from worker.model import OnStep, OutOfMemory, Poisoned

transformers.utils.logging.disable_progress_bar()
diffusers.utils.logging.disable_progress_bar()

_WARM_UP = Parameters(prompt="warm-up", width=256, height=256, steps=1)


class SdxlModel:
    def __init__(self, path: Path) -> None:
        self._gpu = torch.cuda.is_available()
        self._pipeline = StableDiffusionXLPipeline.from_pretrained(
            path,
            dtype=torch.bfloat16 if self._gpu else torch.float32,
            variant="fp16" if any(path.glob("unet/*.fp16.safetensors")) else None,
            local_files_only=True,
            add_watermarker=False,
        )
        self._pipeline.to("cuda" if self._gpu else "cpu")
        self._pipeline.set_progress_bar_config(disable=True)
        # The first call allocates and tunes; no task should pay for it.
        self._denoise(_WARM_UP, 0, lambda _: None)

    def generate(self, parameters: Parameters, n: int, on_step: OnStep) -> Image.Image:
        # One picture a call: batches gain next to nothing at 1024 x 1024, and a picture does
        # not change with the number of its siblings.
        try:
            try:
                return self._denoise(parameters, n, on_step)
            except torch.OutOfMemoryError:
                pass  # not here: while it is handled, its traceback holds the tensors
            self._free()
            return self._denoise(parameters, n, on_step)
        except torch.OutOfMemoryError as error:
            raise OutOfMemory(str(error)) from None
        except torch.AcceleratorError as error:
            raise Poisoned(str(error)) from error

    def _free(self) -> None:
        """Makes room, and decodes from now on in tiles: slower, in a fraction of the memory."""
        self._pipeline.vae.enable_tiling()
        gc.collect()
        torch.cuda.empty_cache()

    def _denoise(self, parameters: Parameters, n: int, on_step: OnStep) -> Image.Image:
        def after_step(
            _pipe: Any, index: int, _time: Any, tensors: dict[str, Any]
        ) -> dict[str, Any]:
            on_step(index + 1)
            return tensors

        result = self._pipeline(
            prompt=parameters.prompt,
            negative_prompt=parameters.negative_prompt,
            width=parameters.width,
            height=parameters.height,
            num_inference_steps=parameters.steps,
            guidance_scale=parameters.guidance_scale,
            # Noise drawn on the CPU is the same on every GPU.
            generator=torch.Generator("cpu").manual_seed(parameters.image_seed(n)),
            callback_on_step_end=after_step,
        )
        picture: Image.Image = result.images[0]
        return picture

    def memory_used(self) -> dict[str, int]:
        if not self._gpu:
            return {"cpu": 0}
        return {
            str(gpu): total - free
            for gpu in range(torch.cuda.device_count())
            for free, total in [torch.cuda.mem_get_info(gpu)]
        }
