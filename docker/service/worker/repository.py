"""What of a diffusers repository makes an SDXL pipeline: configurations and safetensors."""

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

INDEX = "model_index.json"
_WITH_WEIGHTS = ("text_encoder", "text_encoder_2", "unet", "vae")
_PARTS = (*_WITH_WEIGHTS, "scheduler", "tokenizer", "tokenizer_2")
_WEIGHTS = re.compile(
    r"(diffusion_pytorch_model|model)(\.fp16)?(-\d+-of-\d+)?(\.fp16)?"
    r"\.safetensors(\.index(\.fp16)?\.json)?"
)
_CONFIGURATION = re.compile(r"(?!.*\.index\.)\w[\w.-]*\.(json|txt)")
_NEXT_PAGE = re.compile(r'<([^>]+)>;\s*rel="next"')

Digests = dict[str, str]
"""By file name: its SHA-256, or, of a small file, its git id."""


def listed(endpoint: str, model: str, revision: str, silence_seconds: float) -> Digests:
    """All files at a revision. https://huggingface.co/docs/hub/api

    Raises OSError when the hub does not answer, or does not know the revision.
    """
    query = urlencode({"recursive": "true"})
    url: str | None = f"{endpoint}/api/models/{model}/tree/{revision}?{query}"
    entries = []
    while url:
        with urllib.request.urlopen(url, timeout=silence_seconds) as response:  # noqa: S310
            entries += json.load(response)
            following = _NEXT_PAGE.search(response.headers.get("Link", ""))
        url = following and following[1]
    return {
        entry["path"]: (entry.get("lfs") or entry)["oid"]
        for entry in entries
        if entry["type"] == "file"
    }


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
