"""What a picture is made from: checked once at the edge, stored with the task."""

import secrets
from collections.abc import Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

MAX_PIXELS = 1536 * 1536
MAX_SEED = 2**32 - 1


class ImageFormat(StrEnum):
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        return f"image/{self}"


def _printable(text: str) -> str:
    if any((ord(c) < 32 and c not in "\t\n\r") or 127 <= ord(c) < 160 for c in text):
        raise ValueError("control characters are not allowed")
    return text


Prompt = Annotated[str, AfterValidator(_printable)]
Side = Annotated[int, Field(ge=256, le=2048, multiple_of=8)]


class Parameters(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        allow_inf_nan=False,
        json_schema_extra={
            "examples": [
                {"prompt": "a lighthouse at dawn, oil painting"},
                {
                    "prompt": "a lighthouse at dawn, oil painting",
                    "negative_prompt": "people",
                    "width": 768,
                    "height": 512,
                    "steps": 20,
                    "seed": 42,
                },
            ]
        },
    )

    prompt: Prompt = Field(min_length=1, max_length=2000)
    negative_prompt: Prompt = Field(default="", max_length=2000)
    width: Side = 1024
    height: Side = 1024
    steps: int = Field(default=30, ge=1, le=100)
    guidance_scale: float = Field(default=5.0, ge=0, le=30)
    seed: int = Field(default_factory=lambda: secrets.randbelow(MAX_SEED + 1), ge=0, le=MAX_SEED)
    num_images: int = Field(default=1, ge=1, le=4)
    format: Annotated[ImageFormat, Field(strict=False)] = ImageFormat.PNG

    @model_validator(mode="after")
    def _fits(self) -> "Parameters":
        if self.width * self.height > MAX_PIXELS:
            raise ValueError(f"width x height must be at most {MAX_PIXELS} pixels")
        return self

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> "Parameters":
        """As a row has them, maybe one of an older or a newer release: what they lack gets its
        default, what is unknown is left out, and limits are those of the release that took them."""
        known = {name: value for name, value in values.items() if name in cls.model_fields}
        with suppress(ValueError, KeyError):  # a format of another release stays a word
            known["format"] = ImageFormat(known["format"])
        return cls.model_construct(**known)

    def image_seed(self, n: int) -> int:
        return (self.seed + n) % (MAX_SEED + 1)
