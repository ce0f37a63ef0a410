"""Whose a token is."""

import asyncio
import hmac
import math
import time

from core.coalescer import Coalescer
from core.keys import OPERATOR, Key, KeyStore, hash_token
from core.settings import Settings

_CACHE_SECONDS = 20
"""A revoked key is refused after this long at the latest."""

_PAUSE_SECONDS = 0.2
"""Between two questions to the store, however many unknown tokens come."""


class KeyRing:
    """Knows whose a token is. The store is asked for all keys at once: unknown tokens cost it no
    more than one does."""

    def __init__(self, settings: Settings, keys: KeyStore) -> None:
        assert settings.api_secret is not None
        self._operator = hash_token(settings.api_secret.get_secret_value())
        self._keys = keys
        self._known: dict[bytes, Key] = {}
        self._asked_at = -math.inf
        self._look_up = Coalescer(self._look_up_all)

    async def owner(self, token: str) -> Key | None:
        token_hash = hash_token(token)
        if hmac.compare_digest(token_hash, self._operator):
            return OPERATOR
        fresh = time.monotonic() - self._asked_at < _CACHE_SECONDS
        known = self._known.get(token_hash) if fresh else None
        return known or await self._look_up(token_hash)

    async def _look_up_all(self, hashes: list[bytes]) -> list[Key | None]:
        await asyncio.sleep(self._asked_at + _PAUSE_SECONDS - time.monotonic())
        asked_at = time.monotonic()
        self._known = await self._keys.active()
        self._asked_at = asked_at
        return [self._known.get(token_hash) for token_hash in hashes]
