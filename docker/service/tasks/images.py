"""Where a task's images lie in the object store."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

from opentelemetry.trace import SpanKind

from core import tracing
from core.object_store import ObjectStore
from core.settings import Settings
from tasks.parameters import Parameters
from tasks.store import Claim
from tasks.task import StoredImage


class ImageStore:
    def __init__(self, settings: Settings) -> None:
        self._objects = ObjectStore(settings)
        self.presigns = self._objects.presigns

    async def put(self, data: bytes, parameters: Parameters, claim: Claim, n: int) -> StoredImage:
        # The attempt is in the key: a worker that lost its claim overwrites nothing.
        key = f"{_directory(claim.task_id)}{claim.attempt}/{n}.{parameters.format}"
        with tracing.span("store picture", SpanKind.CLIENT, bytes=len(data)):
            await self._objects.put(key, data, parameters.format.media_type)
        return StoredImage(
            object_key=key,
            seed=parameters.image_seed(n),
            format=parameters.format,
            sha256=hashlib.sha256(data).hexdigest(),
        )

    async def size(self, image: StoredImage) -> int:
        """Of its file, in bytes. @throws FileNotFoundError"""
        return await self._objects.size(image.object_key)

    def pieces(self, image: StoredImage, size: int) -> AsyncIterator[bytes]:
        return self._objects.pieces(image.object_key, size)

    async def delete(self, task_id: UUID) -> None:
        """All of a task's images, also those of attempts that were not the last."""
        await self._objects.delete_all(_directory(task_id))

    async def presigned_url(self, image: StoredImage, expires_in: timedelta) -> str:
        return await self._objects.presigned_url(image.object_key, expires_in)


def _directory(task_id: UUID) -> str:
    return f"outputs/{task_id}/"
