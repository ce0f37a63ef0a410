"""Files by their keys, in S3 or in a directory."""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import LocalStore, S3Store

from core.settings import Settings

if TYPE_CHECKING:
    from obstore.store import S3Config


PIECE = 3 * 2**20
"""Bytes; three of them are four of base64, without a rest."""


class ObjectStore:
    def __init__(self, settings: Settings) -> None:
        self._store = _open(settings)
        # In-cluster and local stores have no address that a client could reach.
        self.presigns = isinstance(self._store, S3Store) and settings.s3_endpoint_url is None

    async def put(self, key: str, data: bytes, media_type: str) -> None:
        # Directories keep no attributes.
        on_s3 = isinstance(self._store, S3Store)
        attributes = {"Content-Type": media_type} if on_s3 else None
        await obstore.put_async(self._store, key, data, attributes=attributes)

    async def put_once(self, key: str, data: bytes, *, replace: bool) -> None:
        """The first writer's stays (If-None-Match), unless what is there is to be replaced."""
        with suppress(AlreadyExistsError):
            await obstore.put_async(
                self._store, key, data, mode="overwrite" if replace else "create"
            )

    async def size(self, key: str) -> int:
        """Of the file, in bytes. @throws FileNotFoundError"""
        return (await obstore.head_async(self._store, key))["size"]

    async def pieces(self, key: str, size: int) -> AsyncIterator[bytes]:
        """The file, which never stands in memory whole. Each piece is asked for by itself, so that
        no slow client holds a connection to the store."""
        for start in range(0, size, PIECE):
            end = min(start + PIECE, size)
            yield bytes(await obstore.get_range_async(self._store, key, start=start, end=end))

    async def delete(self, key: str) -> None:
        """Nothing, where there is no such file."""
        with suppress(FileNotFoundError):
            await obstore.delete_async(self._store, key)

    async def delete_all(self, prefix: str) -> None:
        async for files in obstore.list(self._store, prefix):
            await obstore.delete_async(self._store, [file["path"] for file in files])

    async def delete_older(self, prefix: str, age: timedelta) -> int:
        """Whatever was written so long ago. @returns how many files"""
        before = datetime.now(UTC) - age
        deleted = 0
        async for files in obstore.list(self._store, prefix):
            old = [file["path"] for file in files if file["last_modified"] < before]
            await obstore.delete_async(self._store, old)
            deleted += len(old)
        return deleted

    async def presigned_url(self, key: str, expires_in: timedelta) -> str:
        assert isinstance(self._store, S3Store)
        return await obstore.sign_async(self._store, "GET", key, expires_in)


def _open(settings: Settings) -> LocalStore | S3Store:
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
