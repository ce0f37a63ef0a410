"""Probes: the process, and the stores it needs."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse

from api.problems import store_down
from api.services import Provided, Services

router = APIRouter(include_in_schema=False)


async def stores_answer(services: Services) -> bool:
    try:
        async with asyncio.timeout(3):
            await asyncio.gather(services.store.ping(), services.queue.ping())
    except Exception:
        return False
    return True


@router.get("/healthz")
async def healthz() -> PlainTextResponse:
    return PlainTextResponse("ok\n")


@router.get("/readyz")
async def readyz(services: Provided) -> PlainTextResponse:
    if not await stores_answer(services):
        raise store_down()
    return PlainTextResponse("ready\n")
