"""What a worker needs of a model."""

from collections.abc import Callable
from typing import Protocol

from PIL.Image import Image

from tasks.parameters import Parameters
from worker.inputs import NO_INPUTS, Inputs

OnStep = Callable[[int], None]
"""Called after every denoising step with the steps done; raises Interrupted to stop."""

OnPreview = Callable[[int, int, Callable[[], Image]], None]
"""Called after the steps of `preview_steps` with the picture's number, the preview's, and what
makes the preview: in another thread, so that no step waits for it."""

PROMPT_TOKENS = "prompt_tokens"
"""Key of a picture's `info`: how many tokens of the prompt it was made from."""


FLAGGED = "flagged"
"""Another: whether it was found unfit to be shown. Not there where nobody looked."""


class Interrupted(Exception):  # noqa: N818
    """The picture in work is not wanted any more."""


class OutOfMemory(Exception):  # noqa: N818
    """The picture does not fit into the GPU's memory, even with everything else freed."""


class Poisoned(Exception):  # noqa: N818
    """The GPU's context is broken: this process can make no more pictures."""


class Missing(Exception):  # noqa: N818
    """A worker has not what a task asks for; another one may."""

    code: str


class LoraMissing(Missing):
    code = "lora_missing"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no LoRA {name} here.")


class UpscalerMissing(Missing):
    code = "upscaler_missing"

    def __init__(self) -> None:
        super().__init__("There is nothing here to enlarge pictures with.")


class Sick(Exception):  # noqa: N818
    """The model failed several tasks in a row: it is suspected, not they."""


def no_preview(_n: int, _number: int, _render: Callable[[], Image]) -> None:
    pass


class Model(Protocol):
    def generate(
        self,
        parameters: Parameters,
        numbers: range,
        on_step: OnStep,
        on_preview: OnPreview = no_preview,
        inputs: Inputs = NO_INPUTS,
    ) -> list[Image]:
        """Makes the task's pictures of these numbers. Runs in the inference thread."""

    def compile(self) -> None:
        """Has the sizes of the settings drawn compiled from now on, each once it is ready. Raises
        what the compiler does; what is not compiled is drawn as before. In the inference thread."""

    def memory_used(self) -> dict[str, int]:
        """Bytes of GPU memory in use, by GPU id."""
