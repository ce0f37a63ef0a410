"""POST /v1/images/edits: a picture drawn anew, as OpenAI's clients speak it."""

import hashlib
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from api.dependencies import Provided
from api.openai_edits import EditsRequest, read_form
from api.openai_images import ImagesResponse
from api.problems import Problem
from api.routes.openai import answer, documented
from api.services import Services
from api.submission import Submission, Submitted
from tasks.task import Task

router = APIRouter(prefix="/v1/images", tags=["openai"])

_FILE = {"type": "string", "format": "binary"}


def _form() -> dict[str, Any]:
    """The schema of the form: the files, and the words beside them."""
    schema = EditsRequest.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    schema.pop("examples", None)
    schema["properties"] |= {"image": _FILE, "mask": _FILE}
    schema["required"] = ["prompt", "image"]
    return schema


@router.post(
    "/edits",
    summary="Edit a picture (OpenAI-compatible)",
    description="Draws a picture anew where the mask can be seen through, or all of it.",
    response_model=ImagesResponse,
    response_model_exclude_none=True,
    openapi_extra={
        "requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _form()}}}
    },
    responses={
        200: {"content": {"text/event-stream": {}}},
        **documented(400, 401, 409, 410, 413, 415, 429, 500, 503, 504),
    },
)
async def edit_image(request: Request, submission: Submitted, services: Provided) -> Response:
    body, task = await _accept(request, submission, services)
    return await answer(request, submission, services, body, task)


async def _accept(
    request: Request, submission: Submission, services: Services
) -> tuple[EditsRequest, Task]:
    """Apart, so that no file stands in memory while the picture is drawn."""
    try:
        async with request.form(max_files=20, max_fields=50) as form:
            body, files = await read_form(form)
    except HTTPException as error:  # Starlette's own
        raise Problem(400, "malformed-form", error.detail) from None
    same = body.model_dump(mode="json") | {
        name: hashlib.sha256(file).hexdigest() for name, file in files.items()
    }
    parameters = body.parameters(services.settings)
    return body, await submission.accept(parameters, same, files)
