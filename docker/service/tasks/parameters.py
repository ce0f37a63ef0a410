"""What a picture is made from: checked once at the edge, stored with the task."""

import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

MAX_PIXELS = 1536 * 1536
MAX_SEED = 2**32 - 1
MAX_IMAGES = 10
MAX_PROMPT = 32_000
"""Characters; OpenAI's bound. A model reads a long prompt in pieces."""


class ImageFormat(StrEnum):
    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"

    @property
    def media_type(self) -> str:
        return f"image/{self}"


class Scheduler(StrEnum):
    """How noise becomes a picture, by the names that are in use for it."""

    EULER = "euler"
    EULER_A = "euler_a"
    DPMPP_2M = "dpmpp_2m"
    DPMPP_2M_KARRAS = "dpmpp_2m_karras"
    UNIPC = "unipc"
    DDIM = "ddim"
    LCM = "lcm"


LCM_STEPS = 50
"""So many steps its models were trained for, of which it takes some:
https://huggingface.co/docs/diffusers/api/schedulers/lcm, original_inference_steps"""


def _address(url: str) -> str:
    parts = urlsplit(url)  # raises ValueError, too
    if not parts.hostname or parts.username is not None or parts.fragment:
        raise ValueError("it has to be an address like https://example.com/path")
    _ = parts.port
    return url


Address = Annotated[
    str, Field(max_length=2000, pattern=r"^https?://[!-~]+$"), AfterValidator(_address)
]


def _printable(text: str) -> str:
    if any((ord(c) < 32 and c not in "\t\n\r") or 127 <= ord(c) < 160 for c in text):
        raise ValueError("control characters are not allowed")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("a blank prompt asks for nothing")
    return text


def _random_seed() -> int:
    return secrets.randbelow(MAX_SEED + 1)


def _null_is(default: Callable[[], Any], schema: dict[str, Any]) -> tuple[Any, Any]:
    """null stands for the default: clients that send every field write it."""
    return (
        BeforeValidator(lambda value: default() if value is None else value),
        WithJsonSchema({"anyOf": [schema, {"type": "null"}]}),
    )


Prompt = Annotated[
    str,
    # First: a function before it would be handed what is no text, such as half a surrogate pair.
    Field(min_length=1, max_length=MAX_PROMPT, json_schema_extra={"pattern": r"\S"}),
    AfterValidator(_printable),
    AfterValidator(_not_blank),
]
NegativePrompt = Annotated[
    str,
    Field(max_length=MAX_PROMPT),
    AfterValidator(_printable),
    *_null_is(str, {"type": "string", "maxLength": MAX_PROMPT}),
]
Seed = Annotated[
    int,
    Field(ge=0, le=MAX_SEED),
    *_null_is(_random_seed, {"type": "integer", "minimum": 0, "maximum": MAX_SEED}),
]
Steps = Annotated[int, Field(ge=1, le=100)]
GuidanceScale = Annotated[float, Field(ge=0, le=30)]
Quality = Annotated[int, Field(ge=0, le=100)]
ModelName = Annotated[str, Field(min_length=1, max_length=200)]
PartialImages = Annotated[int, Field(ge=0, le=3)]
"""OpenAI's bound."""
MAX_SIDE = 2048
Side = Annotated[int, Field(ge=256, le=MAX_SIDE, multiple_of=8)]
Strength = Annotated[float, Field(gt=0, le=1)]
DEFAULT_STRENGTH = 0.75

_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
DATA_URL = "data:image/"


def _input(named: str) -> str:
    return _address(named) if is_address(named) else named


def is_address(named: str) -> bool:
    return named.startswith(("https:", "http:"))


Input = Annotated[
    str,
    Field(
        pattern=rf"^({_ID}|{DATA_URL}(png|jpeg|webp);base64,[A-Za-z0-9+/]+={{0,2}}"
        r"|https?://[!-~]{1,1990})$"
    ),
    AfterValidator(_input),
]
"""Of a picture to draw from: the id of one that was sent before, the file in a data URL, or its
address. Once a task is accepted it is an id."""


Upscale = Annotated[int, Field(ge=2, le=2)]
UPSCALE: Final = 2
"""So many times as wide and high."""

LORA_NAME = r"^[A-Za-z0-9][\w.-]{0,63}$"
MAX_LORAS = 5


_STRICT = ConfigDict(
    extra="forbid",
    frozen=True,
    strict=True,
    allow_inf_nan=False,
    use_attribute_docstrings=True,
)


class Lora(BaseModel):
    """What a model has learned besides, by its name in `/v1/models`."""

    model_config = _STRICT

    name: Annotated[str, Field(pattern=LORA_NAME)]
    weight: Annotated[float, Field(ge=-5, le=5)] = 1.0
    """How much of it is added."""


def _once_each(loras: list[Lora]) -> list[Lora]:
    if len({lora.name for lora in loras}) < len(loras):
        raise ValueError("each can be there once")
    return loras


Loras = Annotated[list[Lora], Field(max_length=MAX_LORAS), AfterValidator(_once_each)]


class Parameters(BaseModel):
    model_config = ConfigDict(
        **_STRICT,
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

    prompt: Prompt
    negative_prompt: NegativePrompt = ""
    width: Side = 1024
    height: Side = 1024
    steps: Steps = 30
    guidance_scale: GuidanceScale = 5.0
    seed: Seed = Field(default_factory=_random_seed)
    num_images: int = Field(default=1, ge=1, le=MAX_IMAGES)
    format: Annotated[ImageFormat, Field(strict=False)] = ImageFormat.PNG
    quality: Quality = 95
    """Of JPEG and WebP; PNG loses nothing."""
    model: ModelName | None = None
    """One of `/v1/models`; null: the first of them."""
    partial_images: PartialImages = 0
    """Previews of each picture for those who follow the task by its events."""
    scheduler: Annotated[Scheduler, Field(strict=False)] | None = None
    """null is the model's own."""
    webhook: Address | None = None
    """Who is told when the task has ended."""
    upload: Annotated[list[Address], Field(min_length=1, max_length=MAX_IMAGES)] | None = None
    """Where the pictures are sent by PUT, an address for each. Once a task is accepted they lack
    what stood after the question mark, which may be a signature."""
    image: Input | None = None
    """What is drawn from; where it has another shape than the picture, its middle."""
    mask: Input | None = None
    """Where the image is drawn anew: where this is white or, if it has any, transparent."""
    strength: Strength | None = None
    """How much of the image is lost, and the share of the steps that are drawn."""
    loras: Loras | None = None
    """Added to the model for this picture."""
    upscale: Upscale | None = None
    """The drawn picture is made so many times as wide and high."""

    @model_validator(mode="after")
    def _fits(self) -> "Parameters":
        if self.width * self.height > MAX_PIXELS:
            raise ValueError(f"width x height must be at most {MAX_PIXELS} pixels")
        if self.upload is not None and len(self.upload) != self.num_images:
            raise ValueError("upload has to have an address for each picture")
        if self.mask is not None and self.image is None:
            raise ValueError("a mask is of an image, and there is none")
        if self.scheduler is Scheduler.LCM and self.steps > LCM_STEPS:
            raise ValueError(f"lcm takes at most {LCM_STEPS} steps")
        return self

    @classmethod
    def stored(cls, values: Mapping[str, Any]) -> "Parameters":
        """As a row has them, maybe one of an older or a newer release: what they lack gets its
        default, what is unknown is left out, and limits are those of the release that took them."""
        known = {name: value for name, value in values.items() if name in cls.model_fields}
        for name, kind in (("format", ImageFormat), ("scheduler", Scheduler)):
            with suppress(ValueError, KeyError):  # one of another release stays a word
                known[name] = kind(known[name])
        if known.get("loras"):
            fields = Lora.model_fields
            known["loras"] = [
                Lora.model_construct(**{name: lora[name] for name in fields if name in lora})
                for lora in known["loras"]
            ]
        return cls.model_construct(**known)

    @property
    def drawn_steps(self) -> int:
        """Of each picture: from an image, only the last of the steps."""
        if self.image is None:
            return self.steps
        return max(1, int(self.steps * (self.strength or DEFAULT_STRENGTH)))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the finished picture."""
        times = self.upscale or 1
        return self.width * times, self.height * times

    @property
    def work(self) -> float:
        """How much there is to draw: 1 is a picture of 1024x1024 in 30 steps."""
        return self.num_images * self.drawn_steps * self.width * self.height / (30 * 1024 * 1024)

    def image_seed(self, n: int) -> int:
        return (self.seed + n) % (MAX_SEED + 1)
