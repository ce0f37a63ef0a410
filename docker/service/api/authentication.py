"""Who asks: the Bearer token decides."""

from fastapi import Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from api.keyring import KeyRing
from api.problems import Problem
from api.services import Services
from core.keys import Key

bearer = HTTPBearer(auto_error=False, description="The operator's key or a named key.")


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
    credentials: HTTPAuthorizationCredentials | None = await bearer(request)
    key = await keyring.owner(credentials.credentials) if credentials else None
    if key is None:
        raise Problem(
            401,
            "unauthorized",
            "Send a valid key as 'Authorization: Bearer KEY'.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return key
