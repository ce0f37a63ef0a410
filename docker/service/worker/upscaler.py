"""Pictures twice as wide and high, by a super-resolution model of transformers (Swin2SR)."""

from pathlib import Path

import torch
from PIL import Image
from transformers import Swin2SRForImageSuperResolution

from tasks.parameters import UPSCALE
from worker import companion


class Upscaler:
    def __init__(self, path: Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
        """@throws OSError, ValueError: the files are none of one"""
        self._model = companion.load(Swin2SRForImageSuperResolution, path, device, dtype)
        if self._model.upscale != UPSCALE:
            raise ValueError(f"it makes pictures {self._model.upscale} times as large")

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def enlarged(self, picture: Image.Image) -> Image.Image:
        flat = torch.frombuffer(bytearray(picture.tobytes()), dtype=torch.uint8)
        pixels = flat.view(1, picture.height, picture.width, 3).permute(0, 3, 1, 2)
        given = pixels.to(self._model.device, self._model.dtype) / 255
        drawn = self._model(given).reconstruction[0].float().clamp(0, 1)
        array = drawn.mul(255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
        large = Image.fromarray(array)
        large.info = dict(picture.info)
        return large
