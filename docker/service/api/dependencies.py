"""What FastAPI injects into the routes. A function that is not async would run in a thread, which
takes longer than any of these."""

from typing import Annotated

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials

from api.authentication import bearer
from api.client_address import client_address
from api.preferences import wait_seconds
from api.services import Services
from core.keys import Key


async def _services(request: Request) -> Services:
    services: Services = request.app.state.services
    return services


Provided = Annotated[Services, Depends(_services)]

_Documented = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]


async def _viewer(request: Request, _documented: _Documented) -> Key | None:
    key: Key | None = request.state.key
    return key


Viewer = Annotated[Key | None, Depends(_viewer)]
"""Whose key came along; None for a signed link, which is good for its path alone."""


async def _caller(viewer: Viewer) -> Key:
    assert viewer is not None, "no link leads here"
    return viewer


Caller = Annotated[Key, Depends(_caller)]


async def _client_address(request: Request, services: Provided) -> str:
    peer = request.client.host if request.client else ""
    real_ip = request.headers.get("x-real-ip", "")
    return client_address(peer, real_ip, services.settings.trusted_proxies)


ClientAddress = Annotated[str, Depends(_client_address)]


async def _wait_seconds(
    services: Provided,
    prefer: Annotated[
        str | None,
        Header(
            max_length=200,
            description="`respond-async` answers at once, `wait=N` after N seconds at most.",
            examples=["respond-async", "wait=30"],
        ),
    ] = None,
) -> float:
    return wait_seconds(prefer, services.settings.max_wait_seconds)


WaitSeconds = Annotated[float, Depends(_wait_seconds)]
