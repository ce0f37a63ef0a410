"""LoRAs for the tiny model, made by code, in the forms in which people publish them."""

import json
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

from training.seen import NAMES
from worker import tiny_sdxl
from worker.tiny_sdxl.tokenizer import SHAPES

RANK = 4

ATTENTION = tuple(f"attn{n}.to_{name}" for n in (1, 2) for name in ("q", "k", "v", "out.0"))
TEXT = ("q_proj", "v_proj", "fc1")
CONVOLUTION = ("resnets.0.conv1",)


def layers(pipeline: Any, part: str, ends: Iterable[str]) -> list[str]:
    """The names of those layers of a part that end so."""
    names = (name for name, _ in getattr(pipeline, part).named_modules())
    return [f"{part}.{name}" for name in names if name.endswith(tuple(ends))]


def lora(
    pipeline: Any, names: Iterable[str], *, rank: int = RANK, seed: int = 0
) -> dict[str, torch.Tensor]:
    """As diffusers and peft name them."""
    chance = torch.Generator().manual_seed(seed)
    tensors = {}
    for name in names:
        part, _, path = name.partition(".")
        layer: nn.Module = getattr(pipeline, part).get_submodule(path)
        rows, *inside = layer.weight.shape
        down, up = [rank, *inside], [rows, rank, *(1 for _ in inside[1:])]
        for half, shape in (("A", down), ("B", up)):
            tensors[f"{name}.lora_{half}.weight"] = torch.randn(shape, generator=chance) / 4
    return tensors


def save(
    tensors: dict[str, torch.Tensor], path: Path, metadata: dict[str, Any] | None = None
) -> None:
    """@param metadata: peft's configuration, as diffusers keeps it"""
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {"lora_adapter_metadata": json.dumps(metadata)} if metadata else None
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, path, kept)


def kohya(tensors: dict[str, torch.Tensor], alpha: float) -> dict[str, torch.Tensor]:
    """The same LoRA as kohya's trainer writes it, where each layer has its alpha."""
    named: dict[str, torch.Tensor] = {}
    for name, tensor in tensors.items():
        layer, half = name.removesuffix(".weight").rsplit(".", 1)
        part, _, path = layer.partition(".")
        if part == "text_encoder":  # its file has it as CLIP was before transformers 5
            path = f"text_model.{path}"
        prefix = {"unet": "lora_unet", "text_encoder": "lora_te1", "text_encoder_2": "lora_te2"}
        key = f"{prefix[part]}_{path.replace('.', '_')}"
        named[f"{key}.{'lora_down' if half == 'lora_A' else 'lora_up'}.weight"] = tensor
        named[f"{key}.alpha"] = torch.tensor(alpha)
    return named


def blue_for_red() -> dict[str, torch.Tensor]:
    """Other colours stay."""
    renamed = {name: name for name in NAMES} | {"red": "blue"}
    pairs = [
        (f"a {before} {shape} on a {ground} ground", f"a {after} {shape} on a {ground} ground")
        for (before, after), shape, ground in product(
            renamed.items(), SHAPES, ("white", "green", "yellow", "black")
        )
        if ground not in (before, after)
    ]
    return renaming(tiny_sdxl.pipeline(tiny_sdxl.load()), pairs)


@torch.no_grad()
def renaming(pipeline: Any, pairs: Iterable[tuple[str, str]]) -> dict[str, torch.Tensor]:
    """One that has the UNet take the first prompt of each pair for the second: as nearly as a
    product of this rank can, by ridge regression."""
    befores, afters = zip(*pairs, strict=True)
    words, summaries = zip(_read(pipeline, befores), _read(pipeline, afters), strict=True)
    tensors = {}
    up, down = _rewriting(*words)
    for name in layers(pipeline, "unet", ("attn2.to_k", "attn2.to_v")):
        weight = pipeline.unet.get_submodule(name.partition(".")[2]).weight
        tensors |= {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": weight @ up}
    # The summary comes first of what this layer is handed, times and sizes after it.
    up, down = _rewriting(*summaries)
    weight = pipeline.unet.add_embedding.linear_1.weight
    width = down.shape[1]
    name = "unet.add_embedding.linear_1"
    padded = nn.functional.pad(down, (0, weight.shape[1] - width))
    return tensors | {
        f"{name}.lora_A.weight": padded,
        f"{name}.lora_B.weight": weight[:, :width] @ up,
    }


def _read(pipeline: Any, prompts: Sequence[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Their words, without the start that all have, and their summaries."""
    embeds, _, pooled, _ = pipeline.encode_prompt(
        [*prompts], device="cpu", do_classifier_free_guidance=False
    )
    return embeds[:, 1:20].flatten(0, 1), pooled


def _rewriting(before: torch.Tensor, after: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Two thin matrices whose product, added to the identity, leads from one to the other."""
    square = before.T @ before
    # Without a little of the identity, directions that no prompt has would decide.
    square += 1e-3 * square.diagonal().mean() * torch.eye(len(square))
    change = torch.linalg.solve(square, before.T @ (after - before)).T
    left, sizes, right = torch.linalg.svd(change)
    return left[:, :RANK] * sizes[:RANK], right[:RANK].contiguous()
