"""What each way to ask makes of its seed: the tiny model's pictures, each as the mean colours of
8 x 8 squares. After a deliberate change, where torch is: python -m tests.golden_pictures
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from PIL import Image

from tasks.parameters import Lora, Parameters, Scheduler
from tests import lora_files
from worker import tiny_sdxl
from worker.inputs import NO_INPUTS, Inputs
from worker.sdxl import SdxlModel

FILE: Final = Path(__file__).with_name("golden_pictures.json")

_SIDE = 256
_PROMPT = "a red circle on a white ground"
_ASKED: dict[str, dict[str, Any]] = {
    **{f"seed {seed}": {"prompt": "a circle", "seed": seed} for seed in (0, 1, 2, 2**32 - 1)},
    "negative prompt": {"prompt": "a circle on a white ground", "negative_prompt": "blue"},
    "guidance": {"guidance_scale": 1.5, "negative_prompt": "a green square"},
    "steps": {"steps": 30},
    "another shape": {"width": 320, "height": 256},
    **{f"scheduler {name}": {"scheduler": name, "steps": 12} for name in Scheduler},
    "a long prompt": {"prompt": f"{'a lighthouse at dawn ' * 30}, a blue square"},
    "weights": {"prompt": "a (red:1.4) circle on a (white:0.6) ground"},
    "LoRA": {"loras": [Lora(name="blue-for-red", weight=1.0)]},
    "image": {"prompt": "a blue square on a black ground", "image": "an id", "strength": 0.6},
    "mask": {"prompt": "a blue square", "image": "an id", "mask": "an id", "strength": 1.0},
}


def drawn() -> Iterator[tuple[str, Image.Image]]:
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        tiny_sdxl.save(directory / "tiny")
        lora_files.save(lora_files.blue_for_red(), directory / "blue-for-red.safetensors")
        model = SdxlModel(directory / "tiny", loras=directory, prompt_weights=True)

        def draw(inputs: Inputs = NO_INPUTS, **more: Any) -> Image.Image:
            plain = {"width": _SIDE, "height": _SIDE, "steps": 10, "seed": 3, "prompt": _PROMPT}
            asked = Parameters.model_construct(**plain | more)
            return model.generate(asked, range(1), lambda _: None, inputs=inputs)[0]

        image = draw()
        left_half = Image.new("L", image.size)
        left_half.paste(255, (0, 0, _SIDE // 2, _SIDE))
        for name, more in _ASKED.items():
            mask = left_half if "mask" in more else None
            yield name, draw(Inputs(image, mask) if "image" in more else NO_INPUTS, **more)


def squares(picture: Image.Image) -> list[str]:
    """A row of colours a line, each as RRGGBB."""
    small = picture.resize((8, 8), Image.Resampling.BOX)
    width = 3 * small.width
    return [small.tobytes()[n : n + width].hex(" ", 3) for n in range(0, 8 * width, width)]


if __name__ == "__main__":
    FILE.write_text(json.dumps({name: squares(it) for name, it in drawn()}, indent=2) + "\n")
