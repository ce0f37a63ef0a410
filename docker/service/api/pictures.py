"""Pictures in answers, a piece at a time: many large ones may be on their way at once."""

import base64
from collections.abc import AsyncIterator, Mapping

from fastapi.responses import StreamingResponse

from api.services import Services
from tasks.task import Image


async def picture(
    services: Services, image: Image, headers: Mapping[str, str]
) -> StreamingResponse:
    """@throws what the store does, before anything is sent"""
    size = await services.pictures.size(image)
    return StreamingResponse(
        services.pictures.pieces(image, size),
        media_type=image.media_type,
        headers={"Content-Length": str(size), **headers},
    )


async def in_base64(services: Services, image: Image, size: int) -> AsyncIterator[bytes]:
    async for piece in services.pictures.pieces(image, size):
        yield base64.b64encode(piece)
