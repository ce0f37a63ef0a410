"""What is to be seen in a picture, by the colours of its pixels."""

from collections.abc import Sequence

import torch
from PIL import Image

from training.shapes import PALETTE

NAMES = list(PALETTE)
_COVERS = {"triangle": (0.3, 0.66), "circle": (0.66, 0.9), "square": (0.9, 1.01)}
"""Of its own bounding box: half, pi/4, and all."""
_FEW = 100


class Seen:
    def __init__(self, picture: Image.Image) -> None:
        flat = torch.frombuffer(bytearray(picture.convert("RGB").tobytes()), dtype=torch.uint8)
        pixels = flat.view(picture.height, picture.width, 3).float()
        palette = torch.tensor(list(PALETTE.values())).float()
        self._nearest = torch.cdist(pixels, palette.expand(picture.height, -1, -1)).argmin(-1)

    def colour_in(self, box: Sequence[int]) -> str:
        """Of most of what is there. @param box: left, upper, right, lower, as PIL has them"""
        left, upper, right, lower = box
        return self._most(self._nearest[upper:lower, left:right])

    @property
    def middle(self) -> str:
        height, width = self._nearest.shape
        x, y = width // 2, height // 2
        return self.colour_in((x - 10, y - 10, x + 10, y + 10))

    @property
    def ground(self) -> str:
        """The colour of most of the edge."""
        it = self._nearest
        return self._most(torch.cat([part.flatten() for part in (it[:8], it[-8:], it[:, :8])]))

    def area(self, colour: str) -> int:
        """In pixels."""
        return int(self._mask(colour).sum())

    def shape(self, colour: str) -> str | None:
        """Of all that has the colour."""
        mask = self._mask(colour)
        if mask.sum() < _FEW:
            return None
        rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
        box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        share = float(box.float().mean())
        return next((name for name, (low, high) in _COVERS.items() if low <= share < high), None)

    def centre(self, colour: str) -> tuple[float, float] | None:
        """How far to the right, and how far down."""
        mask = self._mask(colour)
        if mask.sum() < _FEW:
            return None
        down, right = mask.nonzero().float().mean(0).tolist()
        return right, down

    def _mask(self, colour: str) -> torch.Tensor:
        return self._nearest == NAMES.index(colour)

    @staticmethod
    def _most(nearest: torch.Tensor) -> str:
        return NAMES[int(nearest.flatten().mode().values)]
