"""Who asks: the Bearer token decides."""

import hmac
from typing import Annotated

from cachetools import TTLCache
from fastapi import Depends
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from api.problems import Problem
from api.services import Provided
from tasks.keys import OPERATOR, Key, KeyStore, hash_token
from tasks.settings import Settings

_CACHE_SECONDS = 20
"""A revoked key is refused after this long at the latest."""

_bearer = HTTPBearer(auto_error=False, description="The operator's key or a named key.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class KeyRing:
    """Knows whose a token is, without asking the store for each request."""

    def __init__(self, settings: Settings, keys: KeyStore) -> None:
        assert settings.api_secret is not None
        self._operator = hash_token(settings.api_secret.get_secret_value())
        self._keys = keys
        self._known: TTLCache[bytes, Key | None] = TTLCache(10_000, _CACHE_SECONDS)

    async def owner(self, token: str) -> Key | None:
        token_hash = hash_token(token)
        if hmac.compare_digest(token_hash, self._operator):
            return OPERATOR
        if token_hash not in self._known:
            self._known[token_hash] = await self._keys.find(token)
        return self._known[token_hash]


async def authenticate(services: Provided, credentials: Credentials) -> Key:
    key = await services.keyring.owner(credentials.credentials) if credentials else None
    if key is None:
        raise Problem(
            401,
            "unauthorized",
            "Send a valid key as 'Authorization: Bearer KEY'.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return key


Caller = Annotated[Key, Depends(authenticate)]
