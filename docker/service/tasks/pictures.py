"""Pictures, kept in S3 or in a directory."""

import hashlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import obstore
from obstore.store import LocalStore, ObjectStore, S3Store

from tasks.parameters import Parameters
from tasks.settings import Settings
from tasks.store import Claim
from tasks.task import Image

if TYPE_CHECKING:
    from obstore.store import S3Config


PIECE = 3 * 2**20
"""Bytes; three of them are four of base64, without a rest."""


class PictureStore:
    def __init__(self, settings: Settings) -> None:
        self._store = _open(settings)
        # In-cluster and local stores have no address that a client could reach.
        self.presigns = isinstance(self._store, S3Store) and settings.s3_endpoint_url is None

    async def put(self, data: bytes, parameters: Parameters, claim: Claim, n: int) -> Image:
        # The attempt is in the key: a worker that lost its claim overwrites nothing.
        key = f"{_directory(claim.task_id)}/{claim.attempt}/{n}.{parameters.format}"
        # Directories keep no attributes.
        on_s3 = isinstance(self._store, S3Store)
        attributes = {"Content-Type": parameters.format.media_type} if on_s3 else None
        await obstore.put_async(self._store, key, data, attributes=attributes)
        return Image(
            object_key=key,
            seed=parameters.image_seed(n),
            format=parameters.format,
            sha256=hashlib.sha256(data).hexdigest(),
        )

    async def size(self, image: Image) -> int:
        """Of its file, in bytes."""
        return (await obstore.head_async(self._store, image.object_key))["size"]

    async def pieces(self, image: Image, size: int) -> AsyncIterator[bytes]:
        """Its file, which never stands in memory whole. Each piece is asked for by itself, so that
        no slow client holds a connection to the store."""
        for start in range(0, size, PIECE):
            end = min(start + PIECE, size)
            yield bytes(
                await obstore.get_range_async(self._store, image.object_key, start=start, end=end)
            )

    async def delete(self, task_id: UUID) -> None:
        """All of a task's pictures, also those of attempts that were not the last."""
        async for files in obstore.list(self._store, f"{_directory(task_id)}/"):
            await obstore.delete_async(self._store, [file["path"] for file in files])

    async def presigned_url(self, image: Image, expires_in: timedelta) -> str:
        assert isinstance(self._store, S3Store)
        return await obstore.sign_async(self._store, "GET", image.object_key, expires_in)


def _directory(task_id: UUID) -> str:
    return f"outputs/{task_id}"


def _open(settings: Settings) -> ObjectStore:
    if settings.s3_bucket is None:
        return LocalStore(settings.data_dir, mkdir=True)
    config: S3Config = {"region": settings.aws_region}
    if settings.s3_endpoint_url is not None:
        config["endpoint"] = settings.s3_endpoint_url
    return S3Store(
        settings.s3_bucket,
        config=config,
        virtual_hosted_style_request=settings.s3_endpoint_url is None,
        client_options={"allow_http": True, "connect_timeout": "3s", "timeout": "20s"},
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=10)},
    )
