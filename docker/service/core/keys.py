"""Named keys: shown once when they are made, kept as hashes."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from core.schema import OPERATOR_KEY_ID, seconds_from_now
from core.schema import key_table as k
from core.schema import task_table as t


@dataclass(frozen=True)
class Key:
    id: int
    name: str
    priority: int = 0
    images_per_day: int | None = None
    created_at: datetime | None = None
    revoked_at: datetime | None = None
    webhook: str | None = None
    """Who is told of its tasks that name nobody."""


OPERATOR = Key(OPERATOR_KEY_ID, "operator")


def hash_token(token: str) -> bytes:
    # A random token of 256 bits needs no slow hash.
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


class KeyStore:
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._transactions = engine
        self._counting = asyncio.Lock()

    async def _rows(self, statement: Any) -> Sequence[Row[Any]]:
        async with self._engine.connect() as connection:
            return (await connection.execute(statement)).all()

    async def create(
        self, name: str, *, priority: int, images_per_day: int | None, webhook: str | None = None
    ) -> str:
        """Makes a key and returns its token, which nothing can show again."""
        token = f"sk-{secrets.token_urlsafe(32)}"
        await self._rows(
            insert(k)
            .values(
                name=name,
                hash=hash_token(token),
                priority=priority,
                images_per_day=images_per_day,
                webhook=webhook,
                created_at=seconds_from_now(0),
            )
            .returning(k.c.id)
        )
        return token

    async def active(self) -> dict[bytes, Key]:
        """Named keys by their tokens' hashes; few, an operator makes them by hand."""
        rows = await self._rows(select(k).where(k.c.hash.isnot(None), k.c.revoked_at.is_(None)))
        return {row.hash: _key(row) for row in rows}

    async def list(self) -> list[Key]:
        return [_key(row) for row in await self._rows(select(k).order_by(k.c.id))]

    async def revoke(self, name: str) -> bool:
        return bool(
            await self._rows(
                update(k)
                .where(k.c.name == name, k.c.hash.isnot(None), k.c.revoked_at.is_(None))
                .values(revoked_at=seconds_from_now(0))
                .returning(k.c.id)
            )
        )

    @asynccontextmanager
    async def images_in_a_day(self, key: Key) -> AsyncIterator[int]:
        """Pictures that the key asked for in the last 24 hours. Nobody else gets this count until
        the block ends: what it decides holds over all replicas."""
        images = func.sum(t.c.parameters["num_images"].as_integer())
        count = select(func.coalesce(images, 0)).where(
            t.c.key_id == key.id, t.c.id > _first_id(time.time() - 86400)
        )
        # One at a time: who waits for a key's row holds a connection that the block needs, too.
        async with self._counting, self._transactions.begin() as connection:
            await connection.execute(select(k.c.id).where(k.c.id == key.id).with_for_update())
            yield int((await connection.execute(count)).scalar_one())


def _first_id(timestamp: float) -> UUID:
    """Ids start with their time, and the index on a key's tasks is by id."""
    return UUID(int=int(timestamp * 1000) << 80)


def _key(row: Row[Any]) -> Key:
    values = dict(row._mapping)
    del values["hash"]
    return Key(**values)
