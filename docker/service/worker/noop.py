"""A model that paints one colour, for tests and for measuring the queue without a GPU."""

import hashlib
import os
import time

from PIL import Image

from tasks.parameters import Parameters
from worker.model import OnStep


class NoopModel:
    def __init__(self) -> None:
        self._step_seconds = float(os.environ.get("NOOP_STEP_SECONDS", "0"))

    def generate(self, parameters: Parameters, n: int, on_step: OnStep) -> Image.Image:
        for step in range(1, parameters.steps + 1):
            time.sleep(self._step_seconds)
            on_step(step)
        text = f"{parameters.prompt}|{parameters.image_seed(n)}"
        red, green, blue = hashlib.sha256(text.encode()).digest()[:3]
        return Image.new("RGB", (parameters.width, parameters.height), (red, green, blue))

    def memory_used(self) -> dict[str, int]:
        return {"cpu": 0}
