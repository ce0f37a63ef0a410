"""What of a diffusers repository makes an SDXL pipeline: configurations and safetensors."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

INDEX = "model_index.json"
_WITH_WEIGHTS = ("text_encoder", "text_encoder_2", "unet", "vae")
_PARTS = (*_WITH_WEIGHTS, "scheduler", "tokenizer", "tokenizer_2")
_WEIGHTS = re.compile(
    r"(diffusion_pytorch_model|model)(\.fp16)?(-\d+-of-\d+)?(\.fp16)?"
    r"\.safetensors(\.index(\.fp16)?\.json)?"
)
_CONFIGURATION = re.compile(r"(?!.*\.index\.)\w[\w.-]*\.(json|txt)")

Digests = dict[str, str]
"""By file name: its SHA-256, or, of a small file, its git id."""


def check_index(path: Path) -> None:
    """Raises SystemExit unless it describes an SDXL pipeline."""
    name = json.loads(path.read_text()).get("_class_name")
    if name != "StableDiffusionXLPipeline":
        raise SystemExit(f"{path.name} names {name}, not StableDiffusionXLPipeline.")


def pipeline_files(files: Digests) -> Digests:
    """Those that are loaded; weights in half precision where the UNet has them.

    Raises SystemExit where a part has no weights as safetensors.
    """
    names = {part: dict(_within(files, part)) for part in _PARTS}
    half = any(map(_is_half, _weights(names["unet"])))
    chosen = {INDEX: files[INDEX]} if INDEX in files else {}
    for part, inside in names.items():
        weights = _weights(inside)
        wanted = [name for name in weights if _is_half(name) == half] or weights
        if part in _WITH_WEIGHTS and not wanted:
            raise SystemExit(f"The repository has no weights of {part} as safetensors.")
        configurations = filter(_CONFIGURATION.fullmatch, inside)
        chosen |= {f"{part}/{name}": inside[name] for name in [*configurations, *wanted]}
    return chosen


def _within(files: Digests, part: str) -> Iterator[tuple[str, str]]:
    for path, digest in files.items():
        folder, _, name = path.partition("/")
        if folder == part:
            yield name, digest


def _weights(names: Digests) -> list[str]:
    return [name for name in names if _WEIGHTS.fullmatch(name)]


def _is_half(name: str) -> bool:
    return ".fp16" in name
