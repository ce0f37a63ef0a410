"""POST /api/generate: accepts a task and waits for its pictures."""

from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response

from api.dependencies import Provided, WaitSeconds
from api.errors import documented
from api.images import picture, size_of
from api.negotiation import JSON, best
from api.problems import Problem
from api.submission import Submitted, raise_unless_succeeded
from api.views import TaskView, estimated_view, whole_view
from tasks.parameters import ImageFormat, Parameters

router = APIRouter(tags=["generate"])

_PICTURE = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    "/api/generate",
    response_model=TaskView,
    summary="Make pictures from a prompt",
    responses={
        200: {
            "description": "The finished task, or its first picture when `Accept` asks for one.",
            "content": {format_.media_type: _PICTURE for format_ in ImageFormat},
        },
        202: {"description": "The task goes on; look for it at `Location`.", "model": TaskView},
        **documented(400, 401, 406, 409, 410, 413, 415, 422, 429, 500, 503, 504),
    },
)
async def generate(
    request: Request,
    submission: Submitted,
    services: Provided,
    wait_seconds: WaitSeconds,
    parameters: Parameters,
    accept: Annotated[str, Header(include_in_schema=False)] = "*/*",
) -> Response:
    wanted = _wanted_format(accept, parameters)
    if wanted is not None:
        parameters = _in_format(parameters, wanted)
    task = await submission.accept(parameters, await request.json())
    task = await submission.wait(task, wait_seconds)
    if not task.status.final:
        return JSONResponse(
            (await estimated_view(services, task)).model_dump(mode="json"),
            status_code=202,
            headers={"Retry-After": "2"},
        )
    raise_unless_succeeded(task)
    if wanted is not None:
        image = task.images[0]
        if image.format != wanted:
            detail = f"This Idempotency-Key's picture was made as {image.media_type}."
            raise Problem(406, "format-conflict", detail, task_id=str(task.id))
        return picture(services, image, await size_of(services, image), {})
    return JSONResponse((await whole_view(services, task)).model_dump(mode="json"))


def _wanted_format(accept: str, parameters: Parameters) -> ImageFormat | None:
    """The format of a client that wants the picture itself; None where JSON will do."""
    # What image/* gets is up to the body.
    formats = [parameters.format, *ImageFormat]
    media_type = best(accept, [JSON, *(format_.media_type for format_ in formats)])
    if media_type is None:
        raise Problem(406, "not-acceptable", f"There is JSON, {', '.join(ImageFormat)} to accept.")
    return None if media_type == JSON else ImageFormat(media_type.removeprefix("image/"))


def _in_format(parameters: Parameters, wanted: ImageFormat) -> Parameters:
    if "format" in parameters.model_fields_set and parameters.format is not wanted:
        detail = f"The body asks for {parameters.format}, the Accept header for {wanted}."
        raise Problem(406, "format-conflict", detail)
    return parameters.model_copy(update={"format": wanted})
