"""What a worker needs of a model."""

from collections.abc import Callable
from typing import Protocol

from PIL.Image import Image

from tasks.parameters import Parameters
from tasks.settings import Settings

OnStep = Callable[[int], None]
"""Called after every denoising step with the steps done; raises Interrupted to stop."""


PROMPT_TOKENS = "prompt_tokens"
"""Key of a picture's `info`: how many tokens of the prompt it was made from."""


class Interrupted(Exception):  # noqa: N818
    """The picture in work is not wanted any more."""


class OutOfMemory(Exception):  # noqa: N818
    """The picture does not fit into the GPU's memory, even with everything else freed."""


class Poisoned(Exception):  # noqa: N818
    """The GPU's context is broken: this process can make no more pictures."""


class Sick(Exception):  # noqa: N818
    """The model failed several tasks in a row: it is suspected, not they."""


class Model(Protocol):
    def generate(self, parameters: Parameters, numbers: range, on_step: OnStep) -> list[Image]:
        """Makes the task's pictures of these numbers. Runs in the inference thread."""

    def memory_used(self) -> dict[str, int]:
        """Bytes of GPU memory in use, by GPU id."""


def load(settings: Settings) -> Model:
    """Loads and warms up. Slow; runs in the inference thread."""
    if settings.model_id == "noop":
        from worker.noop import NoopModel

        return NoopModel()
    import torch

    from worker import sdxl, start

    start.imports_done()
    sdxl.keep_compiled(settings.model_dir)
    # The image has no compiler for the CPU, and there it would not pay.
    sizes = settings.compiled_sizes if torch.cuda.is_available() else ()
    return sdxl.SdxlModel(
        settings.model_path,
        sizes,
        fp8=settings.precision == "fp8",
        step_cache=settings.step_cache,
        prompt_weights=settings.prompt_weights,
    )
