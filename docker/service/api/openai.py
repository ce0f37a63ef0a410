"""POST /v1/images/generations, as OpenAI's clients speak it."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.problems import Problem
from api.services import Provided, Services
from api.submission import Submitted, raise_unless_succeeded, wait
from api.views import task_path
from tasks.parameters import ImageFormat, Parameters, Prompt
from tasks.task import Task

router = APIRouter(prefix="/v1", tags=["openai"])

_LINK_SECONDS = 3600

Quality = Literal["auto", "standard", "hd", "low", "medium", "high"]
_STEPS: dict[Quality, int] = {"low": 15, "medium": 30, "high": 50, "hd": 50}


class ImagesRequest(BaseModel):
    """OpenAI's fields. Those that an SDXL model has no use for are accepted and left alone."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [{"prompt": "a lighthouse at dawn", "n": 1, "size": "1024x1024"}]
        },
    )

    prompt: Prompt = Field(min_length=1, max_length=2000)
    n: Annotated[int, Field(ge=1, le=4)] | None = 1
    size: Annotated[str, Field(pattern=r"^(auto|[1-9]\d{2,3}x[1-9]\d{2,3})$")] | None = "auto"
    quality: Quality | None = "auto"
    response_format: Literal["url", "b64_json"] | None = "url"
    output_format: Annotated[ImageFormat, Field(strict=False)] | None = ImageFormat.PNG
    stream: bool | None = False
    model: Annotated[str, Field(max_length=200)] | None = None
    user: Annotated[str, Field(max_length=200)] | None = None
    style: Annotated[str, Field(max_length=50)] | None = None
    background: Literal["auto", "opaque"] | None = None
    moderation: Literal["auto", "low"] | None = None
    output_compression: Annotated[int, Field(ge=0, le=100)] | None = None
    partial_images: Annotated[int, Field(ge=0, le=3)] | None = None

    @field_validator("size")
    @classmethod
    def _fits_the_model(cls, size: str | None) -> str | None:
        try:
            Parameters(prompt="any", **_sides(size))
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"]) from None
        return size

    def parameters(self) -> Parameters:
        return Parameters(
            prompt=self.prompt,
            **_sides(self.size),
            steps=_STEPS.get(self.quality or "auto", 30),
            num_images=self.n or 1,
            format=self.output_format or ImageFormat.PNG,
        )


def _sides(size: str | None) -> dict[str, Any]:
    """Width and height of a size like 1024x1024."""
    if size in (None, "auto"):
        return {}
    width, height = map(int, size.split("x"))
    return {"width": width, "height": height}


class ImageData(BaseModel):
    url: str | None = None
    b64_json: str | None = None


class ImagesResponse(BaseModel):
    created: int
    data: list[ImageData]


class OpenAIError(BaseModel):
    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorResponse(BaseModel):
    error: OpenAIError


@router.post(
    "/images/generations",
    summary="Make pictures (OpenAI-compatible)",
    response_model=ImagesResponse,
    response_model_exclude_none=True,
    responses={
        200: {"content": {"text/event-stream": {}}},
        **{
            status: {"model": OpenAIErrorResponse}
            for status in (400, 401, 409, 413, 415, 422, 429, 500, 503, 504)
        },
    },
)
async def generate_images(
    request: Request,
    submission: Submitted,
    services: Provided,
    body: ImagesRequest,
) -> Response:
    task = await submission.accept(body.parameters(), await request.json())
    wait_seconds = services.settings.max_wait_seconds
    if body.stream:
        return EventSourceResponse(_stream(services, task, wait_seconds), ping=15)
    task = await wait(services, task, wait_seconds)
    _raise_unless_done(task)
    data = [await _image_data(request, services, task, n, body) for n in range(len(task.images))]
    return JSONResponse(
        {
            "created": int(task.created_at.timestamp()),
            "data": data,
            **_properties(task),
        }
    )


def _properties(task: Task) -> dict[str, Any]:
    parameters = task.parameters
    return {
        "size": f"{parameters.width}x{parameters.height}",
        "output_format": parameters.format,
        "background": "opaque",
    }


def _raise_unless_done(task: Task) -> None:
    if not task.status.final:
        raise Problem(
            504, "timeout", "The pictures are not done yet.", headers={"X-Should-Retry": "false"}
        )
    raise_unless_succeeded(task)


async def _image_data(
    request: Request, services: Services, task: Task, n: int, body: ImagesRequest
) -> dict[str, str]:
    if body.response_format == "b64_json":
        return {"b64_json": await _base64(services, task, n)}
    base = services.settings.public_url or str(request.base_url)
    link = services.links.sign(f"{task_path(task)}/images/{n}", _LINK_SECONDS)
    return {"url": base.rstrip("/") + link}


async def _base64(services: Services, task: Task, n: int) -> str:
    return base64.b64encode(await services.pictures.get(task.images[n])).decode()


async def _stream(services: Services, task: Task, seconds: float) -> AsyncIterator[ServerSentEvent]:
    task = await wait(services, task, seconds)
    try:
        _raise_unless_done(task)
    except Problem as problem:
        error = OpenAIError(
            message=problem.detail, type="server_error", param=None, code=problem.code
        )
        yield _event("error", {"error": error.model_dump()})
        return
    for n in range(len(task.images)):
        yield _event(
            "image_generation.completed",
            {
                "b64_json": await _base64(services, task, n),
                "created_at": int(task.created_at.timestamp()),
                "quality": "auto",
                **_properties(task),
            },
        )


def _event(name: str, data: dict[str, Any]) -> ServerSentEvent:
    payload = json.dumps({"type": name, **data})
    return ServerSentEvent(event=name, data=payload, sep="\n")
