"""What is compared: each draws the same pictures from the same noise."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from diffusers import StableDiffusionXLPipeline
from PIL import Image

from tasks.parameters import Parameters
from worker import batch_size
from worker.compiled import Mode
from worker.sdxl import SdxlModel

gpu = torch.cuda.is_available()


class Contender(Protocol):
    def draw(self, parameters: Parameters, pictures: int) -> list[Image.Image]: ...


class Diffusers:
    """The pipeline as its documentation runs it."""

    def __init__(self, path: Path, dtype: torch.dtype, *, compiled: bool = False) -> None:
        self._pipeline = StableDiffusionXLPipeline.from_pretrained(
            path, dtype=dtype, variant="fp16" if gpu else None, add_watermarker=False
        ).to("cuda" if gpu else "cpu")
        self._pipeline.set_progress_bar_config(disable=True)
        if compiled:
            self._pipeline.unet = torch.compile(
                self._pipeline.unet, mode="reduce-overhead", fullgraph=True
            )

    def draw(self, parameters: Parameters, pictures: int) -> list[Image.Image]:
        result = self._pipeline(
            prompt=parameters.prompt,
            width=parameters.width,
            height=parameters.height,
            num_inference_steps=parameters.steps,
            guidance_scale=parameters.guidance_scale,
            num_images_per_prompt=pictures,
            latents=_noise(parameters, pictures).to(
                self._pipeline.unet.device, self._pipeline.unet.dtype
            ),
        )
        images: list[Image.Image] = result.images
        return images


class Worker:
    """The model as our worker holds it."""

    def __init__(self, path: Path, compiled: Mode = "regional", **modes: bool) -> None:
        self._model = SdxlModel(path, compile_mode=compiled, **modes)
        # No size yet: each is compiled at its first call, in the warm-up.
        self._model.compile()

    def draw(self, parameters: Parameters, pictures: int) -> list[Image.Image]:
        size = parameters.width, parameters.height
        self._model._compiled_sizes = {size}
        batch_size.BATCH_SIZES[size] = pictures
        return self._model.generate(parameters, range(pictures), lambda _: None)

    @contextmanager
    def inside(self) -> Iterator[list[float]]:
        """Collects the seconds spent in the pipeline and in the decoder."""
        seconds: list[float] = []
        model: Any = self._model
        choose, decode = model._repainter.choose, model._decode

        def measured(call: Callable[..., Any]) -> Callable[..., Any]:
            def wrapper(*args: Any, **options: Any) -> Any:
                result: list[Any] = []
                seconds.append(timed(lambda: result.append(call(*args, **options))))
                return result[0]

            return wrapper

        def chosen(*args: Any) -> Any:
            pipeline, given = choose(*args)
            return measured(pipeline), given

        model._repainter.choose, model._decode = chosen, measured(decode)
        try:
            yield seconds
        finally:
            del model._repainter.choose, model._decode


def timed(work: Callable[[], object]) -> float:
    synchronize()
    started = time.perf_counter()
    work()
    synchronize()
    return time.perf_counter() - started


def synchronize() -> None:
    if gpu:
        torch.cuda.synchronize()


def release() -> None:
    if gpu:
        gc.collect()
        torch.cuda.empty_cache()


def reserved_bytes() -> int:
    """What the allocator holds. It gives nothing back by itself, so that growth is a peak."""
    return torch.cuda.memory_reserved() if gpu else 0


def psnr(picture: Image.Image, reference: Image.Image) -> float:
    difference = np.asarray(picture, float) - np.asarray(reference, float)
    # No more than a single pixel that is off by one would give.
    return float(10 * np.log10(255**2 / max(np.mean(difference**2), 1 / difference.size)))


def _noise(parameters: Parameters, pictures: int) -> torch.Tensor:
    """As the worker draws it: on the CPU, in the precision of the GPU's pipeline."""
    shape = (1, 4, parameters.height // 8, parameters.width // 8)
    dtype = torch.float16 if gpu else torch.float32
    seeds = [parameters.image_seed(n) for n in range(pictures)]
    return torch.cat(
        [
            torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)
            for seed in seeds
        ]
    )
