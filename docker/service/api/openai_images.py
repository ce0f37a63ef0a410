"""What OpenAI's clients ask for and are given, in its words.

The contract is the types of its clients: openai.types.ImageGenerateParams and ImagesResponse.
"""

from math import prod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from api.models import models
from api.sampling import sampling_of
from core.settings import Sampling, Settings
from tasks.parameters import (
    LCM_STEPS,
    MAX_IMAGES,
    GuidanceScale,
    ImageFormat,
    Loras,
    NegativePrompt,
    Parameters,
    PartialImages,
    Prompt,
    Quality,
    Scheduler,
    Seed,
    Steps,
    Upscale,
)
from tasks.task import StoredImage, Task

_STEPS = {"low": 15, "medium": 30, "high": 50, "xhigh": 75, "max": 100}
"""Of each quality; a model of few steps makes its share of them."""
_SDXL = Sampling()
_LEGACY = {"auto": "medium", "standard": "medium", "hd": "high"}

_GPT_IMAGE = ("gpt-image", "chatgpt-image")
"""Models that OpenAI answers for with base64 alone; its others gave links."""

_PATCH = 16
"""Pixels of a side: OpenAI counts about 4096 tokens in 1024 x 1024 pixels of high quality."""

Text = Annotated[str, Field(max_length=200)]


class ImagesRequest(BaseModel):
    """OpenAI's fields, and this service's own that go into a client's `extra_body`. Those that an
    SDXL model has no use for are accepted and left alone."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [{"prompt": "a lighthouse at dawn", "n": 1, "size": "1024x1024"}]
        },
    )

    events: ClassVar = "image_generation"
    """How the names of a stream's events begin."""

    prompt: Prompt
    n: Annotated[int, Field(ge=1, le=MAX_IMAGES)] | None = None
    size: Annotated[str, Field(pattern=r"^(auto|[1-9]\d{2,3}x[1-9]\d{2,3})$")] | None = None
    quality: Literal["auto", "low", "medium", "high", "xhigh", "max", "standard", "hd"] | None = (
        None
    )
    response_format: Literal["url", "b64_json"] | None = None
    output_format: Annotated[ImageFormat, Field(strict=False)] | None = None
    output_compression: Quality | None = None
    background: Literal["auto", "opaque"] | None = None
    stream: bool | None = None
    partial_images: PartialImages | None = None

    seed: Seed | None = None
    negative_prompt: NegativePrompt | None = None
    steps: Steps | None = None
    guidance_scale: GuidanceScale | None = None
    scheduler: Annotated[Scheduler, Field(strict=False)] | None = None
    loras: Loras | None = None
    upscale: Upscale | None = None

    model: Text | None = None
    user: Text | None = None
    safety_identifier: Text | None = None
    style: Text | None = None
    moderation: Literal["auto", "low"] | None = None
    complexity: Literal["low", "medium", "high"] | None = None

    frame_count: None = None
    frame_duration_ms: None = None
    svg: None = None

    @field_validator("size")
    @classmethod
    def _fits_the_model(cls, size: str | None) -> str | None:
        try:
            Parameters(prompt="any", **_sides(size))
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"]) from None
        return size

    @field_validator("output_compression")
    @classmethod
    def _compresses(cls, compression: int | None, info: ValidationInfo) -> int | None:
        png = info.data.get("output_format") in (None, ImageFormat.PNG)
        if png and compression not in (None, 100):
            raise ValueError("PNG loses nothing; output_format can be jpeg or webp")
        return compression

    @field_validator("scheduler")
    @classmethod
    def _takes_the_steps(cls, scheduler: Scheduler | None, info: ValidationInfo) -> Any:
        steps = info.data.get("steps") or _steps(info.data.get("quality"))
        if scheduler is Scheduler.LCM and steps > LCM_STEPS:
            raise ValueError(f"lcm takes at most {LCM_STEPS} steps")
        return scheduler

    @property
    def wants_base64(self) -> bool:
        if self.response_format is None:
            return (self.model or "").startswith(_GPT_IMAGE)
        return self.response_format == "b64_json"

    def parameters(self, settings: Settings) -> Parameters:
        """The name of a model that is not there asks for the default one."""
        given = {
            "negative_prompt": self.negative_prompt,
            "steps": self.steps or _steps(self.quality, sampling_of(settings, self.model)),
            "guidance_scale": self.guidance_scale,
            "scheduler": self.scheduler,
            "loras": self.loras,
            "upscale": self.upscale,
            "seed": self.seed,
            "num_images": self.n,
            "format": self.output_format,
            "quality": self.output_compression,
            "model": self.model if self.model in models(settings) else None,
            "partial_images": self.partial_images if self.stream else None,
            **_sides(self.size),
        }
        return Parameters(
            prompt=self.prompt,
            **{name: value for name, value in given.items() if value is not None},
        )


def _steps(quality: str | None, sampling: Sampling = _SDXL) -> int:
    quality = quality or "auto"
    share = _STEPS[_LEGACY.get(quality, quality)] / _SDXL.steps
    return min(max(round(share * sampling.steps), 1), sampling.max_steps)


def _sides(size: str | None) -> dict[str, Any]:
    """Width and height of a size like 1024x1024."""
    if size in (None, "auto"):
        return {}
    width, height = map(int, size.split("x"))
    return {"width": width, "height": height}


class ImageData(BaseModel):
    url: str | None = None
    b64_json: str | None = None
    flagged: bool | None = None
    """Not OpenAI's: whether it was found unfit to be shown, and is black."""


class InputTokens(BaseModel):
    text_tokens: int
    image_tokens: int = 0


class Usage(BaseModel):
    """Text as the model's own tokens, pictures in patches of 16 x 16 pixels."""

    input_tokens: int
    input_tokens_details: InputTokens
    output_tokens: int
    total_tokens: int


class Shape(BaseModel):
    """How the pictures look, in answers and in events."""

    size: str
    quality: Literal["low", "medium", "high", "xhigh", "max"]
    background: Literal["opaque"] = "opaque"
    output_format: ImageFormat


class Properties(Shape):
    """How the pictures were made."""

    safety_identifier: str | None = None
    usage: Usage


class ImagesResponse(Properties):
    created: int
    data: list[ImageData]


def shape(task: Task, settings: Settings) -> dict[str, Any]:
    """What an event says besides the picture, before it is finished."""
    made = task.parameters
    size = task.size_of(task.images[0]) if task.images else made.size
    return Shape(
        size="{}x{}".format(*size),
        quality=_quality(made.steps, sampling_of(settings, made.model)),
        output_format=made.format,
    ).model_dump(mode="json")


def properties(task: Task, body: ImagesRequest, settings: Settings) -> dict[str, Any]:
    """What an answer says besides the pictures."""
    text = sum(image.prompt_tokens for image in task.images)
    patches = sum(prod(task.size_of(image)) for image in task.images) // _PATCH**2
    said = Properties(
        **shape(task, settings),
        safety_identifier=body.safety_identifier or body.user,
        usage=Usage(
            input_tokens=text,
            input_tokens_details=InputTokens(text_tokens=text),
            output_tokens=patches,
            total_tokens=text + patches,
        ),
    )
    return said.model_dump(mode="json", exclude_none=True)


def verdict(image: StoredImage) -> dict[str, bool]:
    """What is said beside a picture, where somebody looked at it."""
    return {} if image.flagged is None else {"flagged": image.flagged}


def _quality(steps: int, sampling: Sampling) -> str:
    """The highest quality whose steps were made; `low` has the fewest."""
    needed = {name: _steps(name, sampling) for name in _STEPS}
    return [name for name in _STEPS if needed[name] <= max(steps, needed["low"])][-1]
