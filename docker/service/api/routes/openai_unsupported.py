"""What OpenAI's clients have besides, refused so that they say why."""

from typing import NoReturn

from fastapi import APIRouter

from api.dependencies import Caller
from api.problems import Problem
from api.routes.openai import documented

router = APIRouter(prefix="/v1/images", tags=["openai"])


async def _refuse(_caller: Caller) -> NoReturn:
    raise Problem(
        400,
        "unsupported-endpoint",
        "This model varies no picture without a prompt: POST /v1/images/edits takes both.",
    )


# Whatever the body holds: nothing reads it.
router.add_api_route(
    "/variations",
    _refuse,
    methods=["POST"],
    summary="Not supported",
    responses=documented(400, 401),
    status_code=400,
    response_model=None,
)
