"""Who asks: the Bearer token decides."""

import asyncio
import hmac
import math
import time
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import Problem
from api.services import Services
from tasks.batches import Batches
from tasks.keys import OPERATOR, Key, KeyStore, hash_token
from tasks.settings import Settings

_CACHE_SECONDS = 20
"""A revoked key is refused after this long at the latest."""

_bearer = HTTPBearer(auto_error=False, description="The operator's key or a named key.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


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
        self._look_up = Batches(self._look_up_all)

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


class Authentication:
    """Asks for a key before anything else of a request is looked at, even whether its path exists.

    Whoever has a signed link needs none.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(("/api/", "/v1/")):
            request = Request(scope)
            services: Services = request.app.state.services
            linked = services.links.valid(request.url.path, request.query_params)
            request.state.key = None if linked else await _authenticate(request, services.keyring)
        await self._app(scope, receive, send)


async def _authenticate(request: Request, keyring: KeyRing) -> Key:
    credentials: HTTPAuthorizationCredentials | None = await _bearer(request)
    key = await keyring.owner(credentials.credentials) if credentials else None
    if key is None:
        raise Problem(
            401,
            "unauthorized",
            "Send a valid key as 'Authorization: Bearer KEY'.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return key


def _viewer(request: Request, _documented: Credentials) -> Key | None:
    key: Key | None = request.state.key
    return key


Viewer = Annotated[Key | None, Depends(_viewer)]
"""Whose key came along; None for a signed link, which is good for its path alone."""


def _caller(viewer: Viewer) -> Key:
    assert viewer is not None, "no link leads here"
    return viewer


Caller = Annotated[Key, Depends(_caller)]
