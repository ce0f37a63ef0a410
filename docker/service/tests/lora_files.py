"""LoRAs for the tiny model, made by code, in the forms in which people publish them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

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
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, kept)


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
