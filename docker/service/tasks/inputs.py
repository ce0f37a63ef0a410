"""Where the pictures lie that clients send to draw from: by day, then by key."""

from datetime import UTC, datetime
from io import BytesIO
from uuid import UUID

from PIL import Image
from uuid_utils.compat import uuid7

from core.object_store import ObjectStore
from core.settings import Settings

MEDIA_TYPE = "image/png"
"""Of all of them, whatever was sent."""

_HEADER = 64
"""Bytes, which hold the size."""


class InputStore:
    """Its files are PNG that the api has written; only their own key has them by their id."""

    def __init__(self, settings: Settings) -> None:
        self._objects = ObjectStore(settings)

    async def put(self, png: bytes, *, key_id: int) -> str:
        """@returns its id"""
        input_id = str(uuid7())
        await self._objects.put(_path(input_id, key_id), png, MEDIA_TYPE)
        return input_id

    async def size(self, input_id: str, *, key_id: int) -> tuple[int, int]:
        """Width and height, in pixels. @throws FileNotFoundError"""
        path = _path(input_id, key_id)
        start = b"".join([piece async for piece in self._objects.pieces(path, _HEADER)])
        return Image.open(BytesIO(start), formats=["PNG"]).size

    async def get(self, input_id: str, *, key_id: int) -> bytes:
        """@throws FileNotFoundError"""
        path = _path(input_id, key_id)
        size = await self._objects.size(path)
        return b"".join([piece async for piece in self._objects.pieces(path, size)])

    async def delete(self, input_id: str, *, key_id: int) -> None:
        await self._objects.delete(_path(input_id, key_id))


def _path(input_id: str, key_id: int) -> str:
    # A UUID of version 7 starts with its time (RFC 9562, section 5.7), in milliseconds.
    made = datetime.fromtimestamp((UUID(input_id).int >> 80) / 1000, UTC)
    return f"inputs/{made:%Y-%m-%d}/{key_id}/{input_id}.png"
