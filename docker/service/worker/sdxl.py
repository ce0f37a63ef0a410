"""Stable Diffusion XL by diffusers, as fast as the picture stays the same."""

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import diffusers.utils.logging
import torch
import transformers.utils.logging
from PIL import Image
from torch.nn.attention import SDPBackend, sdpa_kernel

from core import metrics
from tasks.parameters import Parameters
from worker import start
from worker.batch_size import batch_size
from worker.channels_last import keep_channels_last
from worker.empty_negative import EmptyNegative
from worker.fp8 import quantize
from worker.inputs import NO_INPUTS, Inputs
from worker.latents import Previews
from worker.loras import Loras
from worker.model import (
    PROMPT_TOKENS,
    OnPreview,
    OnStep,
    OutOfMemory,
    Poisoned,
    UpscalerMissing,
    no_preview,
)
from worker.pipelines import TextToImage
from worker.previews import preview_steps
from worker.prompts import PromptReader, Prompts
from worker.repaint import Repainter
from worker.safety import SafetyChecker
from worker.schedulers import Schedulers
from worker.step_cache import StepCache
from worker.upscaler import Upscaler

if TYPE_CHECKING:
    from worker.compiled import Compiled, Mode

transformers.utils.logging.disable_progress_bar()
diffusers.utils.logging.disable_progress_bar()

Size = tuple[int, int]

# cuDNN's kernel is the fastest on the GPUs that have it; without a priority it comes last.
_ATTENTION = [
    SDPBackend.CUDNN_ATTENTION,
    SDPBackend.FLASH_ATTENTION,
    SDPBackend.EFFICIENT_ATTENTION,
    SDPBackend.MATH,
]


class SdxlModel:
    def __init__(
        self,
        path: Path,
        sizes_to_compile: Iterable[Size] = (),
        *,
        loras: Path = Path("loras"),
        compile_mode: "Mode" = "regional",
        fp8: bool = False,
        step_cache: bool = False,
        prompt_weights: bool = False,
        safety_checker: Path | None = None,
        upscaler: Path | None = None,
    ) -> None:
        self._gpu = torch.cuda.is_available()
        self._sizes_to_compile = sorted(sizes_to_compile)
        self._compile_mode = compile_mode
        self._compiled: Compiled | None = None
        self._compiled_sizes: set[Size] = set()
        with start.phase("weights"):
            self._pipeline = self._load(path)
        self._repainter = Repainter(self._pipeline)
        self._schedulers = Schedulers(self._pipeline.scheduler)
        self._prompts = PromptReader(self._pipeline, weights=prompt_weights)
        self._empty_negative = EmptyNegative(self._pipeline.unet)
        if fp8:
            quantize(self._pipeline.unet)
        self._loras = Loras(self._pipeline, loras)
        placed = ("cuda", torch.float16) if self._gpu else ("cpu", torch.float32)
        self._safety = SafetyChecker(safety_checker, *placed) if safety_checker else None
        self._upscaler = Upscaler(upscaler, *placed) if upscaler else None
        self._step_cache = StepCache(self._pipeline.unet) if step_cache else None
        # The first call allocates; no task should pay for it.
        with start.phase("warm_up"):
            for size in self._sizes_to_compile or [(256, 256)]:
                self._rehearse(size, steps=2)

    def _load(self, path: Path) -> TextToImage:
        """From the files' mapped pages straight to the device."""
        pipeline: TextToImage = TextToImage.from_pretrained(
            path,
            # float16 is nearer to float32 than bfloat16, and SDXL's UNet stays within its range.
            dtype=torch.float16 if self._gpu else torch.float32,
            variant="fp16" if any(path.glob("unet/*.fp16*.safetensors")) else None,
            device_map="cuda" if self._gpu else "cpu",
            local_files_only=True,
            add_watermarker=False,
        )
        pipeline.set_progress_bar_config(disable=True)
        keep_channels_last(pipeline.unet)
        keep_channels_last(pipeline.vae)
        pipeline.unet.fuse_qkv_projections()
        if self._gpu:
            # SDXL's decoder leaves float16's range.
            pipeline.vae.to(torch.bfloat16)
        return pipeline

    def compile(self) -> None:
        from worker.compiled import Compiled  # it imports for seconds

        if self._compiled is None:
            self._compiled = Compiled(self._pipeline, self._step_cache, self._compile_mode)
        for width, height in self._sizes_to_compile:
            self._compiled_sizes.add((width, height))
            try:
                for negative in ("", "warm-up"):
                    self._rehearse((width, height), steps=4, negative=negative)
            except Exception:
                self._compiled_sizes.remove((width, height))
                raise
            metrics.COMPILED.labels(f"{width}x{height}").set(1)

    def _rehearse(self, size: Size, steps: int, negative: str = "") -> None:
        parameters = Parameters(
            prompt="warm-up", negative_prompt=negative, width=size[0], height=size[1], steps=steps
        )
        self._draw(parameters, range(batch_size(*size)), lambda _: None)

    def generate(
        self,
        parameters: Parameters,
        numbers: range,
        on_step: OnStep,
        on_preview: OnPreview = no_preview,
        inputs: Inputs = NO_INPUTS,
    ) -> list[Image.Image]:
        try:
            try:
                return self._draw(parameters, numbers, on_step, on_preview, inputs)
            except torch.OutOfMemoryError:
                pass  # not here: while it is handled, its traceback holds the tensors
            with self._frugal():
                return self._draw_each(parameters, numbers, on_step, on_preview, inputs)
        except torch.OutOfMemoryError as error:
            raise OutOfMemory(str(error)) from None
        except torch.AcceleratorError as error:
            raise Poisoned(str(error)) from error

    def _draw_each(
        self,
        parameters: Parameters,
        numbers: range,
        on_step: OnStep,
        on_preview: OnPreview,
        inputs: Inputs,
    ) -> list[Image.Image]:
        """One picture after the other: the smallest batch."""
        pictures: list[Image.Image] = []
        for done, n in enumerate(numbers):

            def on_own_step(step: int, before: int = done * parameters.drawn_steps) -> None:
                on_step((before + step) // len(numbers))

            pictures += self._draw(parameters, range(n, n + 1), on_own_step, on_preview, inputs)
        return pictures

    @contextmanager
    def _frugal(self) -> Iterator[None]:
        """Makes room, and decodes for the while in tiles: slower, in a fraction of the memory."""
        gc.collect()
        torch.cuda.empty_cache()
        self._pipeline.vae.enable_tiling()
        try:
            yield
        finally:
            self._pipeline.vae.disable_tiling()

    def _draw(
        self,
        parameters: Parameters,
        numbers: range,
        on_step: OnStep,
        on_preview: OnPreview = no_preview,
        inputs: Inputs = NO_INPUTS,
    ) -> list[Image.Image]:
        if parameters.upscale and not self._upscaler:
            raise UpscalerMissing
        self._loras.merge(parameters.loras or [])
        prompts = self._prompts.read(parameters)
        with (
            sdpa_kernel(_ATTENTION, set_priority=True),
            self._empty_negative.drawn(
                guided=parameters.guidance_scale > 1, negative=prompts.negative
            ),
            self._compiled_or_not(parameters, numbers, prompts),
        ):
            # What nobody has looked at yet is shown to nobody.
            shown = {} if self._safety else preview_steps(parameters)
            previews = Previews(shown, numbers, on_preview)
            latents = self._denoise(parameters, prompts, numbers, on_step, previews, inputs)
            pictures: list[Image.Image] = list(map(inputs.kept, self._decode(latents)))
            pictures = self._finished(pictures, parameters)
        for picture in pictures:
            picture.info[PROMPT_TOKENS] = prompts.tokens
        if self._gpu:
            on_step(parameters.drawn_steps)  # it was only queued when the loop ended
        return pictures

    def _finished(self, pictures: list[Image.Image], parameters: Parameters) -> list[Image.Image]:
        """Enlarged, if that is asked for; what is stored is what was looked at."""
        if parameters.upscale and self._upscaler:
            pictures = [self._upscaler.enlarged(picture) for picture in pictures]
        if self._safety:
            pictures = self._safety.checked(pictures)
        return pictures

    def _compiled_or_not(
        self, parameters: Parameters, numbers: range, prompts: Prompts
    ) -> AbstractContextManager[object]:
        """What is not compiled runs as it is: no task waits for a compiler."""
        if self._compiled is None:
            return nullcontext()
        size = parameters.width, parameters.height
        if (
            size in self._compiled_sizes
            and len(numbers) == batch_size(*size)
            and parameters.guidance_scale > 1  # else the UNet sees half the batch
            and prompts.in_one_chunk
            and self._schedulers.as_compiled(parameters.scheduler)
            and not self._pipeline.vae.use_tiling
        ):
            return self._compiled.used(negative=prompts.negative)
        uncompiled: AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
        return uncompiled

    def _denoise(
        self,
        parameters: Parameters,
        prompts: Prompts,
        numbers: range,
        on_step: OnStep,
        previews: Previews,
        inputs: Inputs,
    ) -> torch.Tensor:
        def step_done(step: int) -> None:
            on_step(step)
            previews.done(step)

        self._pipeline.scheduler, predictions = self._schedulers.choose(parameters.scheduler)
        progress = _progress(step_done, self._gpu)
        if self._step_cache:
            self._step_cache.restart()

        def after_step(
            _pipe: Any, index: int, _time: Any, tensors: dict[str, Any]
        ) -> dict[str, Any]:
            previews.queued(index + 1, predictions.latest)
            progress(index)
            return tensors

        pipeline, given = self._repainter.choose(parameters, inputs)
        result = pipeline(
            **prompts.arguments,
            **given,
            num_inference_steps=parameters.steps,
            guidance_scale=parameters.guidance_scale,
            num_images_per_prompt=len(numbers),
            # Noise drawn on the CPU is the same on every GPU.
            generator=[
                torch.Generator("cpu").manual_seed(parameters.image_seed(n)) for n in numbers
            ],
            callback_on_step_end=after_step,
            output_type="latent",
        )
        latents: torch.Tensor = result.images
        return latents

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _decode(self, latents: torch.Tensor) -> list[Image.Image]:
        vae = self._pipeline.vae
        scaled = latents.to(vae.dtype) / vae.config.scaling_factor
        decoded = vae.decode(scaled, return_dict=False)[0].float()
        # Rounded on the GPU: a quarter of the bytes to copy, and none to convert.
        pixels = (decoded / 2 + 0.5).clamp(0, 1).mul(255).round().to(torch.uint8)
        return [Image.fromarray(array) for array in pixels.permute(0, 2, 3, 1).cpu().numpy()]

    def memory_used(self) -> dict[str, int]:
        if not self._gpu:
            return {"cpu": 0}
        return {
            str(gpu): total - free
            for gpu in range(torch.cuda.device_count())
            for free, total in [torch.cuda.mem_get_info(gpu)]
        }


def _progress(on_step: OnStep, gpu: bool) -> Callable[[int], None]:
    """What to call when the work of step `index` is queued.

    The host stays one step ahead of the GPU: the GPU never waits for it, yet what is reported is
    done, and an unwanted picture ends within two steps.
    """
    if not gpu:
        return lambda index: on_step(index + 1)
    events: list[torch.cuda.Event] = []

    def queued(index: int) -> None:
        event = torch.cuda.Event(blocking=True)
        event.record()
        events.append(event)
        if index > 0:
            events.pop(0).synchronize()
            on_step(index)

    return queued
