"""Pictures in answers, a piece at a time: many large ones may be on their way at once."""

import base64
from collections.abc import AsyncIterator, Mapping

from fastapi.responses import StreamingResponse

from api.problems import Problem
from api.services import Services
from tasks.task import StoredImage


async def size_of(services: Services, image: StoredImage) -> int:
    """Of its file, in bytes. @throws Problem 410: a record outlives its pictures, which a
    lifecycle rule of the object store deletes; what the store does"""
    try:
        return await services.images.size(image)
    except FileNotFoundError:
        raise Problem(410, "gone", "The picture has been deleted.") from None


def picture(
    services: Services, image: StoredImage, size: int, headers: Mapping[str, str]
) -> StreamingResponse:
    return StreamingResponse(
        services.images.pieces(image, size),
        media_type=image.media_type,
        headers={"Content-Length": str(size), **headers},
    )


async def in_base64(services: Services, image: StoredImage, size: int) -> AsyncIterator[bytes]:
    async for piece in services.images.pieces(image, size):
        yield base64.b64encode(piece)
