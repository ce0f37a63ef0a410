"""What a worker needs of a model."""

from collections.abc import Callable
from typing import Protocol

from PIL.Image import Image

from tasks.parameters import Parameters
from tasks.settings import Settings

OnStep = Callable[[int], None]
"""Called after every denoising step with the steps done; raises Interrupted to stop."""


class Interrupted(Exception):  # noqa: N818
    """The picture in work is not wanted any more."""


class OutOfMemory(Exception):  # noqa: N818
    """The picture does not fit into the GPU's memory, even with everything else freed."""


class Poisoned(Exception):  # noqa: N818
    """The GPU's context is broken: this process can make no more pictures."""


class Model(Protocol):
    def generate(self, parameters: Parameters, n: int, on_step: OnStep) -> Image:
        """Makes the task's picture number n. Runs in the inference thread."""

    def memory_used(self) -> dict[str, int]:
        """Bytes of GPU memory in use, by GPU id."""


def load(settings: Settings) -> Model:
    """Loads and warms up. Slow; runs in the inference thread."""
    if settings.model_id == "noop":
        from worker.noop import NoopModel

        return NoopModel()
    from worker.sdxl import SdxlModel

    return SdxlModel(settings.model_path)
