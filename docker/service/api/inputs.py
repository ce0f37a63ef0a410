"""Pictures to draw from: taken from clients, decoded, and found again by their ids."""

import asyncio
import base64
import binascii
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from math import sqrt
from pathlib import Path
from typing import Any, Final

from api.decode import REFUSED
from api.guarded_client import UNREACHABLE, GuardedClient, Refused, TooLong
from api.problems import Problem, invalid, too_large
from core.keys import Key
from core.settings import Settings
from tasks.inputs import InputStore
from tasks.parameters import DATA_URL, DEFAULT_STRENGTH, MAX_SIDE, Parameters, is_address

_SECONDS = 20
_FETCHES = 8
"""At once: the memory that their files take has an end."""
_SERVICE: Final = Path(__file__).parents[1]


@dataclass(frozen=True)
class Input:
    id: str
    width: int
    height: int


class Inputs:
    def __init__(self, settings: Settings) -> None:
        self._store = InputStore(settings)
        self._max_bytes = settings.max_input_bytes
        self._max_pixels = settings.max_input_pixels
        self._one_at_a_time = asyncio.Lock()
        self._fetching = asyncio.Semaphore(_FETCHES)
        self._client = GuardedClient(settings.private_networks) if settings.fetches else None

    async def close(self) -> None:
        if self._client:
            await self._client.close()

    async def add(self, file: bytes, key: Key, field: str) -> Input:
        """@throws Problem 413, 422"""
        if len(file) > self._max_bytes:
            raise too_large(self._max_bytes)
        async with self._one_at_a_time:
            png = await self._decode(file, field)
        input_id = await self._store.put(png, key_id=key.id)
        return await self._known(input_id, key, field)

    async def delete(self, input_id: str, key: Key) -> None:
        """@throws Problem 404"""
        try:
            await self._store.size(input_id, key_id=key.id)
        except FileNotFoundError:
            raise Problem(404, "not-found", "There is no such input.") from None
        await self._store.delete(input_id, key_id=key.id)

    async def forget(self, parameters: Parameters, key: Key) -> None:
        """Deletes those that a task was drawn from."""
        for input_id in (parameters.image, parameters.mask):
            if input_id is not None:
                await self._store.delete(input_id, key_id=key.id)

    async def resolve(
        self, parameters: Parameters, key: Key, files: Mapping[str, bytes], side: int
    ) -> Parameters:
        """The parameters with the ids of their inputs, which may come as files beside them, and the
        size of the image where they name no other.

        @param side: a model draws best near the area of its square
        @throws Problem 413, 422"""
        image = await self._find("image", parameters.image, key, files)
        unnamed = {"width", "height"} - parameters.model_fields_set
        if image is None:
            return parameters.model_copy(update=dict.fromkeys(unnamed, side))
        mask = await self._find("mask", parameters.mask, key, files)
        if mask and (mask.width, mask.height) != (image.width, image.height):
            of_mask, of_image = (f"{it.width} x {it.height}" for it in (mask, image))
            raise unusable("mask", f"it has {of_mask} pixels, the image {of_image}")
        found: dict[str, Any] = {
            "image": image.id,
            "mask": mask and mask.id,
            "strength": parameters.strength or DEFAULT_STRENGTH,
        }
        if len(unnamed) == 2:
            found["width"], found["height"] = picture_size(image.width, image.height, side)
        return parameters.model_copy(update=found)

    async def _find(
        self, field: str, named: str | None, key: Key, files: Mapping[str, bytes]
    ) -> Input | None:
        file = files.get(field)
        if named is not None and named.startswith(DATA_URL):
            try:
                file = base64.b64decode(named.partition(",")[2])
            except binascii.Error:
                raise unusable(field, "it is no base64") from None
        if named is not None and is_address(named):
            file = await self._fetch(named, field)
        if file is not None:
            return await self.add(file, key, field)
        return await self._known(named, key, field) if named is not None else None

    async def _fetch(self, url: str, field: str) -> bytes:
        """@throws Problem 413, 422"""
        if self._client is None:
            raise invalid(field, "fetches_off", "Nothing is fetched from addresses here")
        try:
            async with self._fetching:
                status, file = await self._client.get(url, self._max_bytes, seconds=_SECONDS)
        except TooLong:
            raise too_large(self._max_bytes) from None
        except Refused as refused:
            raise unusable(field, str(refused)) from None
        except UNREACHABLE:
            raise unusable(field, "its address does not answer as it should") from None
        if status != HTTPStatus.OK:
            raise unusable(field, f"its address answers {status}")
        return file

    async def _known(self, input_id: str, key: Key, field: str) -> Input:
        try:
            width, height = await self._store.size(input_id, key_id=key.id)
        except FileNotFoundError:
            raise unusable(field, "there is no such input") from None
        return Input(input_id, width, height)

    async def _decode(self, file: bytes, field: str) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "api.decode", str(self._max_pixels), str(MAX_SIDE)),
            cwd=_SERVICE,
            env={},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_SECONDS):
                png, reason = await process.communicate(file)
        except TimeoutError:
            raise unusable(field, "it takes too long to decode") from None
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode == REFUSED:
            raise unusable(field, reason.decode())
        if process.returncode != 0:
            raise unusable(field, "it takes too much to decode")
        return png


def picture_size(width: int, height: int, side: int) -> tuple[int, int]:
    """The size to draw an image of this size in: its shape, as large as a model draws well."""
    scale = min(1, side / sqrt(width * height))
    wide, high = (min(max(round(side * scale / 8) * 8, 256), MAX_SIDE) for side in (width, height))
    return wide, high


def unusable(field: str, message: str) -> Problem:
    return invalid(field, "unusable_picture", message)
