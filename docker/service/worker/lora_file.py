"""A LoRA's file, as kohya's trainer, diffusers or peft writes it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders import StableDiffusionXLLoraLoaderMixin
from diffusers.utils.state_dict_utils import (
    DIFFUSERS_OLD_TO_PEFT,
    UNET_TO_DIFFUSERS,
    convert_state_dict,
)
from safetensors import SafetensorError, safe_open

_METADATA = "lora_adapter_metadata"
"""Where diffusers keeps peft's configuration."""
_DIFFERENT = ("use_dora", "use_rslora", "lora_bias", "alpha_pattern")
"""Of that, what makes a LoRA more than products of two matrices and one scale."""

_PARTS = ("unet", "text_encoder", "text_encoder_2")
_TEXT_NAMES = DIFFUSERS_OLD_TO_PEFT | {".lora.down": ".lora_A", ".lora.up": ".lora_B"}


class UnfitLora(Exception):  # noqa: N818
    """A file that is no LoRA, or none for this model."""


@dataclass(frozen=True)
class Product:
    """What it adds to a layer's weight: the product of two thin matrices, or convolutions."""

    up: torch.Tensor
    down: torch.Tensor
    scale: float

    @property
    def shape(self) -> tuple[int, int]:
        return self.up.shape[0], self.down.flatten(1).shape[1]

    def on(self, device: torch.device) -> torch.Tensor:
        up, down = (it.to(device, torch.float32).flatten(1) for it in (self.up, self.down))
        return self.scale * (up @ down)


Products = dict[str, Product]
"""By the layer's name, which begins with the part of the pipeline that it is in."""


def read(path: Path, unet_config: Any) -> Products:
    """The tensors stay in the file until they are used. @throws UnfitLora"""
    try:
        with safe_open(path, "pt") as file:
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            metadata = json.loads((file.metadata() or {}).get(_METADATA, "{}"))
        if dora := next((key for key in tensors if "dora_scale" in key), None):
            raise UnfitLora(f"{dora}: DoRA is not supported")
        state, alphas = StableDiffusionXLLoraLoaderMixin.lora_state_dict(
            tensors, unet_config=unet_config
        )
    except (SafetensorError, ValueError, KeyError) as error:
        raise UnfitLora(str(error)) from error
    if not state:
        raise UnfitLora("it is empty")
    products: Products = {}
    for name, key in _layers(state).items():
        if not name.endswith(".lora_A.weight"):
            continue
        down, up = state.pop(key), state.pop(_up(key), None)
        if up is None or up.flatten(1).shape[1] != len(down):
            raise UnfitLora(f"{key} has no other half")
        layer = name.removesuffix(".lora_A.weight")
        alpha = _alpha(key, layer, alphas or {}, metadata)
        scale = 1.0 if alpha is None else alpha / down.shape[0]
        products[layer] = Product(up, down, scale)
    if state:
        raise UnfitLora(f"{next(iter(state))} is no part of a LoRA")
    return products


def _layers(state: dict[str, Any]) -> dict[str, str]:
    """The state's keys by their names in peft."""
    named: dict[str, str] = {}
    for part in _PARTS:
        keys = {key: key for key in state if key.startswith(f"{part}.")}
        named |= convert_state_dict(keys, UNET_TO_DIFFUSERS if part == "unet" else _TEXT_NAMES)
    # The first text encoder was flattened in transformers 5; files have it as it was.
    first = "text_encoder."
    return {
        f"{first}{name.removeprefix(first).removeprefix('text_model.')}"
        if name.startswith(first)
        else name: key
        for name, key in named.items()
    }


def _up(key: str) -> str:
    return key.replace(".lora_A.", ".lora_B.").replace(".down.weight", ".up.weight")


def _alpha(
    key: str, layer: str, alphas: dict[str, float], metadata: dict[str, Any]
) -> float | None:
    """A scale is this through the rank; without one it is 1."""
    for name in (key, key.split(".lora.")[0]):  # as diffusers names kohya's
        if (alpha := alphas.get(f"{name}.alpha")) is not None:
            return alpha
    part = layer.split(".")[0]
    for option in _DIFFERENT:
        if metadata.get(f"{part}.{option}"):
            raise UnfitLora(f"{option} is not supported")
    alpha = metadata.get(f"{part}.lora_alpha")
    return None if alpha is None else float(alpha)
