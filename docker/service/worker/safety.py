"""Whether a picture can be shown, by the checker that diffusers has for Stable Diffusion."""

import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from transformers import CLIPImageProcessorPil

from worker import companion
from worker.model import FLAGGED

# It tells of each black picture, by no task's name.
logging.getLogger("diffusers.pipelines.stable_diffusion.safety_checker").setLevel(logging.ERROR)


class SafetyChecker:
    def __init__(self, path: Path, device: str = "cpu", dtype: torch.dtype = torch.float32) -> None:
        """@throws OSError, ValueError: the files are none of one"""
        self._model = companion.load(StableDiffusionSafetyChecker, path, device, dtype)
        side = self._model.config.vision_config.image_size
        self._processor = CLIPImageProcessorPil(
            size={"shortest_edge": side}, crop_size={"height": side, "width": side}
        )

    def checked(self, pictures: Sequence[Image.Image]) -> list[Image.Image]:
        """The pictures with their verdicts; black in place of each that is flagged, as
        diffusers has it."""
        pixels = self._processor([*pictures], return_tensors="pt").pixel_values
        given = pixels.to(self._model.device, self._model.dtype)
        _, verdicts = self._model(clip_input=given, images=[*given])
        return [
            _withheld(picture) if flagged else _said(picture, flagged=False)
            for picture, flagged in zip(pictures, verdicts, strict=True)
        ]


def _withheld(picture: Image.Image) -> Image.Image:
    black = Image.new("RGB", picture.size)
    black.info = dict(picture.info)
    return _said(black, flagged=True)


def _said(picture: Image.Image, *, flagged: bool) -> Image.Image:
    picture.info[FLAGGED] = flagged
    return picture
