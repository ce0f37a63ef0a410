"""Companions in miniature: the real classes with random weights, as repositories have them."""

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import (
    CLIPConfig,
    CLIPImageProcessorPil,
    Swin2SRConfig,
    Swin2SRForImageSuperResolution,
)

_SIDE, _WIDTH = 32, 16
_NEVER = 2.0
"""More than any likeness, which is 1 at most."""


@torch.no_grad()
def save_checker(path: Path, unfit: Image.Image, fit: Iterable[Image.Image]) -> None:
    """One whose only concept is what the first picture looks like, so that the others pass."""
    torch.manual_seed(0)
    vision = {"image_size": _SIDE, "patch_size": 8, "hidden_size": 32, "intermediate_size": 64}
    layers = {"num_hidden_layers": 2, "num_attention_heads": 2}
    checker = StableDiffusionSafetyChecker(
        CLIPConfig(projection_dim=_WIDTH, vision_config=vision | layers)
    )
    processor = CLIPImageProcessorPil(
        size={"shortest_edge": _SIDE}, crop_size={"height": _SIDE, "width": _SIDE}
    )
    pixels = processor([unfit, *fit], return_tensors="pt").pixel_values
    seen = checker.visual_projection(checker.vision_model(pixels)[1])
    nearest = torch.cosine_similarity(seen[:1], seen[1:]).max()
    checker.special_care_embeds_weights.fill_(_NEVER)
    checker.concept_embeds_weights.fill_(_NEVER)
    checker.concept_embeds[0] = seen[0]
    checker.concept_embeds_weights[0] = (1 + nearest) / 2
    checker.save_pretrained(path)
    rename(path, "vision_model.", "vision_model.vision_model.")


def save_upscaler(path: Path, times: int = 2) -> None:
    torch.manual_seed(0)
    config = Swin2SRConfig(
        image_size=64,
        embed_dim=16,
        depths=[1, 1],
        num_heads=[2, 2],
        window_size=8,
        mlp_ratio=2.0,
        upscale=times,
        upsampler="pixelshuffledirect",
    )
    Swin2SRForImageSuperResolution(config).save_pretrained(path)


def rename(path: Path, before: str, after: str) -> None:
    """The published checker's weights have CLIP's names as they were before transformers 5."""
    file = path / "model.safetensors"
    tensors = {
        after + name.removeprefix(before) if name.startswith(before) else name: tensor
        for name, tensor in load_file(file).items()
    }
    save_file(tensors, file, {"format": "pt"})


def source(path: Path) -> Any:
    """Its files, as a hub has them, and the hash of the weights."""
    files = {name: (path / name).read_bytes() for name in ("config.json", "model.safetensors")}
    return files, hashlib.sha256(files["model.safetensors"]).hexdigest()
