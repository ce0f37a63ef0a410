"""LoRAs, added to the weights that are loaded.

In place: what was compiled, and recorded as a CUDA graph, reads the same memory. So nothing is
compiled anew whatever their rank, number and layers, no step takes longer, and fused projections
and text encoders take part. diffusers' own way, hot swapping by peft, multiplies twice more in each
layer, for a rank fixed beforehand, and leaves out the text encoders:
https://huggingface.co/docs/diffusers/tutorials/using_peft_for_inference, "Hotswapping adapters".
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from tasks.parameters import Lora
from worker.fp8 import Fp8Linear, quantized
from worker.lora_file import Products, UnfitLora, read
from worker.model import LoraMissing

_FUSED = {"to_qkv": ("to_q", "to_k", "to_v"), "to_kv": ("to_k", "to_v")}
"""By the name of a fused projection, whose rows it has, one after the other."""


class Loras:
    def __init__(self, parts: Any, directory: Path) -> None:
        """@param parts: a pipeline, or its `unet`, `text_encoder` and `text_encoder_2` alone
        @param directory: of the files, each of which has a LoRA's name and is safetensors"""
        self._parts = parts
        self._directory = directory
        self._files: dict[Path, _File] = {}
        self._changed: list[_Change] = []
        self._merged: list[tuple[_File, float]] | None = []
        """None: a change broke off."""

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def merge(self, wanted: Sequence[Lora]) -> None:
        """The weights are from now on the model's with these, and with no others.
        @throws LoraMissing, UnfitLora, torch.OutOfMemoryError: of the weights no more is known than
        that the next call puts them right"""
        terms = [(self._file(lora.name), lora.weight) for lora in wanted]
        if terms == self._merged:
            return
        self._merged = None
        while self._changed:
            self._changed[-1].undo()
            self._changed.pop()
        for layer in dict.fromkeys(layer for file, _ in terms for layer in file.products):
            weights = _weights(self._parts, layer)
            sums = sum(
                weight * file.products[layer].on(weights[0].device)
                for file, weight in terms
                if layer in file.products
            )
            self._changed.append(_Change(weights))
            self._changed[-1].add(sums)
        self._merged = terms

    def check(self, name: str) -> None:
        """@throws LoraMissing, UnfitLora"""
        self._file(name)

    def _file(self, name: str) -> "_File":
        path = self._directory / f"{name}.safetensors"
        try:
            stat = path.stat()
        except FileNotFoundError:
            raise LoraMissing(name) from None
        stamp = stat.st_ino, stat.st_mtime_ns
        known = self._files.get(path)
        if known is None or known.stamp != stamp:
            products = read(path, self._parts.unet.config)
            _fit(self._parts, products)
            known = self._files[path] = _File(stamp, products)
        return known


def check(model: Path, directory: Path, names: Iterable[str]) -> None:
    """Whether they fit a model, whose weights are not loaded. @throws SystemExit: one does not"""
    with torch.device("meta"):
        parts = SimpleNamespace(
            unet=UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(model / "unet")),
            text_encoder=CLIPTextModel(CLIPTextConfig.from_pretrained(model / "text_encoder")),
            text_encoder_2=CLIPTextModelWithProjection(
                CLIPTextConfig.from_pretrained(model / "text_encoder_2")
            ),
        )
    loras = Loras(parts, directory)
    for name in names:
        try:
            loras.check(name)
        except UnfitLora as error:
            raise SystemExit(f"The LoRA {name} does not fit {model.name}: {error}") from None


class _File:
    """Itself alone is equal to it."""

    def __init__(self, stamp: tuple[int, int], products: Products) -> None:
        self.stamp = stamp
        self.products = products


class _Change:
    """Of a layer, with what it was before."""

    def __init__(self, weights: list[torch.Tensor]) -> None:
        self._weights = weights
        self._before = [weight.clone() for weight in weights]

    def add(self, more: torch.Tensor) -> None:
        weight, *scale = self._before
        changed: tuple[torch.Tensor, ...]
        if scale:
            changed = quantized(weight.float() * scale[0] + more)
        else:
            changed = (weight.float() + more.reshape(weight.shape),)
        for target, value in zip(self._weights, changed, strict=True):
            target.copy_(value)

    def undo(self) -> None:
        for target, value in zip(self._weights, self._before, strict=True):
            target.copy_(value)


def _fit(parts: Any, products: Products) -> None:
    """@throws UnfitLora"""
    for layer, product in products.items():
        weight, *_ = _weights(parts, layer)
        rows, columns = weight.reshape(len(weight), -1).shape
        if product.shape != (rows, columns):
            raise UnfitLora(f"{layer} is {rows} x {columns} in the model, {product.shape} in it")


def _weights(parts: Any, layer: str) -> list[torch.Tensor]:
    """Those that a layer multiplies by, and their scale if they have one; its rows,
    where it is a part of a fused projection. @throws UnfitLora: the model has no such layer"""
    part, _, path = layer.partition(".")
    parent_path, _, name = path.rpartition(".")
    try:
        parent = getattr(parts, part).get_submodule(parent_path)
        module = parent.get_submodule(name)
        rows = slice(0, module.weight.shape[0])
    except AttributeError:
        raise UnfitLora(f"the model has no layer {layer}") from None
    for fused, names in _FUSED.items():
        if name in names and isinstance(getattr(parent, fused, None), nn.Module):
            before = [getattr(parent, it).weight.shape[0] for it in names[: names.index(name)]]
            module = getattr(parent, fused)
            rows = slice(sum(before), sum(before) + rows.stop)
            break
    tensors = [module.weight, module.scale] if isinstance(module, Fp8Linear) else [module.weight]
    return [tensor.detach()[rows] for tensor in tensors]
