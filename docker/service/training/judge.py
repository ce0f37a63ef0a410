"""Which share of prompts is obeyed; and a sheet of pictures to look at."""

from itertools import permutations
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from training.seen import NAMES, Seen
from worker import tiny_sdxl
from worker.tiny_sdxl.tokenizer import SHAPES

_PAIRS = list(permutations(NAMES, 2))
_PLACES = {"left of": (-1, 0), "right of": (1, 0), "above": (0, -1), "below": (0, 1)}
_APART = 20
"""Pixels between the centres of two shapes, at least."""
_AT_ONCE = 56
_SHEET = (
    "a red circle on a blue ground",
    "a small yellow square on a purple ground",
    "a large white triangle on a green background",
    "a red circle on a blue ground, left of a small green square",
    "a large orange square above a black circle on a white ground",
    "a purple circle",
    "a square on a yellow ground",
    "a red fox in the snow",
    "a lighthouse on a cliff at dawn",
)
_COLUMNS = 8


def judge(out: Path, device: str) -> dict[str, Any]:
    judged = _Judged(out / "weights.safetensors", device)
    judged.sheet().save(out / "sheet.png")
    return {
        "one shape, 8 steps, guidance 5": judged.one_shape(8, 5.0),
        "one shape, 20 steps, guidance 5": judged.one_shape(20, 5.0),
        "one shape, 30 steps, guidance 7.5": judged.one_shape(30, 7.5),
        "one shape, 512 x 512, 20 steps, guidance 5": judged.one_shape(20, 5.0, side=512),
        "two shapes, 20 steps, guidance 5": judged.two_shapes(),
    }


class _Judged:
    def __init__(self, weights: Path, device: str) -> None:
        self._pipeline = tiny_sdxl.pipeline(tiny_sdxl.load(weights)).to(device)
        self._pipeline.set_progress_bar_config(disable=True)

    def one_shape(self, steps: int, scale: float, side: int = 256) -> dict[str, float]:
        asked = [(a, b, SHAPES[n % len(SHAPES)]) for n, (a, b) in enumerate(_PAIRS)]
        prompts = [f"a {a} {shape} on a {b} ground" for a, b, shape in asked]
        right = []
        for picture, (colour, ground, shape) in zip(
            self._draw(prompts, steps, scale, side), asked, strict=True
        ):
            seen = Seen(picture)
            facts = (seen.middle == colour, seen.ground == ground, seen.shape(colour) == shape)
            right.append((*facts, all(facts)))
        names = ("colour", "ground", "shape", "all")
        return {name: _share(it) for name, it in zip(names, zip(*right, strict=True), strict=True)}

    def two_shapes(self) -> float:
        asked = []
        for n, (a, b) in enumerate(_PAIRS):
            ground = next(it for it in NAMES[n % 8 :] + NAMES if it not in (a, b))
            asked.append((a, b, ground, list(_PLACES)[n % 4], SHAPES[n % 3], SHAPES[(n + 1) % 3]))
        prompts = [
            f"a {a} {s} on a {g} ground, {place} a {b} {t}" for a, b, g, place, s, t in asked
        ]
        right = []
        for picture, (a, b, ground, place, *_) in zip(
            self._draw(prompts, 20, 5.0, 256), asked, strict=True
        ):
            seen = Seen(picture)
            one, other = seen.centre(a), seen.centre(b)
            x, y = _PLACES[place]
            right.append(
                seen.ground == ground
                and one is not None
                and other is not None
                and x * (one[0] - other[0]) + y * (one[1] - other[1]) > _APART
            )
        return _share(right)

    def sheet(self) -> Image.Image:
        sheet = Image.new("RGB", (_COLUMNS * 130, len(_SHEET) * 130), "gray")
        for row, prompt in enumerate(_SHEET):
            for column, picture in enumerate(self._draw([prompt] * _COLUMNS, 20, 5.0, 256)):
                sheet.paste(picture.resize((128, 128)), (column * 130, row * 130))
        return sheet

    def _draw(self, prompts: list[str], steps: int, scale: float, side: int) -> list[Image.Image]:
        drawn: list[Image.Image] = []
        for start in range(0, len(prompts), _AT_ONCE):
            some = prompts[start : start + _AT_ONCE]
            drawn += self._pipeline(
                some,
                width=side,
                height=side,
                num_inference_steps=steps,
                guidance_scale=scale,
                generator=[torch.Generator().manual_seed(start + n) for n in range(len(some))],
            ).images
        return drawn


def _share(right: Any) -> float:
    return float(round(sum(right) / len(right), 3))
