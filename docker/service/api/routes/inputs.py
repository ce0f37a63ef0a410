"""/api/inputs: pictures to draw from."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel

from api.dependencies import Caller, ClientAddress, Provided
from api.errors import documented

router = APIRouter(prefix="/api/inputs", tags=["inputs"])

_FILE = {"schema": {"type": "string", "format": "binary"}}


class InputView(BaseModel):
    id: str
    """For `image` and `mask` of a request."""
    width: int
    height: int


@router.post(
    "",
    status_code=201,
    summary="Send a picture to draw from",
    description="The body is the file. It is kept upright, without what it says of its origin, and "
    "at most 2048 pixels wide and high.",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {f"image/{kind}": _FILE for kind in ("png", "jpeg", "webp")},
        }
    },
    responses=documented(401, 413, 415, 422, 429, 503),
)
async def add_input(
    request: Request, services: Provided, key: Caller, client: ClientAddress
) -> InputView:
    request.state.headers.update(await services.uploads.admit(client))
    added = await services.inputs.add(await request.body(), key, "body")
    return InputView(id=added.id, width=added.width, height=added.height)


@router.delete(
    "/{input_id}",
    status_code=204,
    summary="Delete a picture to draw from",
    responses=documented(401, 404, 422, 503),
)
async def delete_input(
    input_id: Annotated[UUID, Path()], services: Provided, key: Caller
) -> Response:
    await services.inputs.delete(str(input_id), key)
    return Response(status_code=204)
