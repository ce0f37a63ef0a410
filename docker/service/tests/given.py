"""What the stack of test/e2e/requests.test.ts is given, made by code.

python -m tests.given DIRECTORY
"""

import sys
from pathlib import Path

from PIL import Image

from tasks.parameters import Parameters
from tests import companions, lora_files, signing
from training.seen import NAMES
from worker import tiny_sdxl
from worker.sdxl import SdxlModel

UNFIT = "an orange triangle on a purple ground"


def main(directory: Path) -> None:
    lora_files.save(lora_files.blue_for_red(), directory / "lora/it.safetensors")
    model = directory / "tiny"
    tiny_sdxl.save(model)
    companions.save_checker(directory / "checker", *_pictures(SdxlModel(model)))
    companions.save_upscaler(directory / "upscaler")
    it = signing.identity()
    for name, pem in (("chain", it.certificates), ("key", it.key), ("root", it.root)):
        (directory / f"{name}.pem").write_text(pem)
    for path in directory.rglob("*"):  # safetensors' are their owner's alone
        path.chmod(0o755 if path.is_dir() else 0o644)


def _pictures(model: SdxlModel) -> tuple[Image.Image, list[Image.Image]]:
    """What is unfit, and all that is not: each colour before others."""

    def draw(prompt: str) -> Image.Image:
        asked = Parameters(prompt=prompt, width=256, height=256, steps=8, seed=3)
        return model.generate(asked, range(1), lambda _: None)[0]

    pairs = [(n, (n + distance) % len(NAMES)) for n in range(len(NAMES)) for distance in (1, 3, 6)]
    return draw(UNFIT), [draw(f"a {NAMES[a]} circle on a {NAMES[b]} ground") for a, b in pairs]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
