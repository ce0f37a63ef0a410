"""Probes: whether the process lives, and whether it can answer."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from api.dependencies import Provided
from api.problems import store_down

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> PlainTextResponse:
    return PlainTextResponse("ok\n")


@router.get("/readyz")
async def readyz(services: Provided) -> PlainTextResponse:
    if not await services.ready():
        raise store_down()
    return PlainTextResponse("ready\n")
