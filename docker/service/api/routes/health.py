"""Probes: whether the process lives, and whether it can answer."""

from collections.abc import MutableMapping
from typing import Any

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from fastapi.routing import APIRoute

from api.dependencies import Provided
from api.problems import store_down

router = APIRouter(include_in_schema=False)


def is_probe(scope: MutableMapping[str, Any]) -> bool:
    """Whether a request, as ASGI has it, is for a route of this file."""
    return scope["path"] in [route.path for route in router.routes if isinstance(route, APIRoute)]


@router.get("/healthz")
async def healthz() -> PlainTextResponse:
    return PlainTextResponse("ok\n")


@router.get("/readyz")
async def readyz(services: Provided) -> PlainTextResponse:
    if not await services.ready():
        raise store_down()
    return PlainTextResponse("ready\n")
