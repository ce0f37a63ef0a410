"""HEAD and OPTIONS, on every path (RFC 9110, sections 9.3.2 and 9.3.7)."""

from collections.abc import Sequence

from fastapi import Request
from fastapi.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send


def allowed(routes: Sequence[BaseRoute], scope: Scope) -> str:
    """What the Allow header of a path says; "" where there is nothing."""
    methods: set[str] = set()
    for route in routes:
        match, _ = route.matches(scope)
        if match is not Match.NONE:
            methods |= getattr(route, "methods", None) or set()
    if not methods:
        return ""
    return ", ".join(sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set())))


class Methods:
    """Answers HEAD as GET without its content, and OPTIONS by the methods of the path."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "HEAD":
            await self._app(dict(scope, method="GET"), receive, _without_content(send))
        elif scope["type"] == "http" and scope["method"] == "OPTIONS":
            allow = allowed(Request(scope).app.state.routes, scope)
            respond = Response(status_code=204, headers={"Allow": allow}) if allow else self._app
            await respond(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _without_content(send: Send) -> Send:
    async def send_head(message: Message) -> None:
        # Ended at once: a stream of events would not end by itself.
        if message["type"] == "http.response.start":
            await send(message)
            await send({"type": "http.response.body"})

    return send_head
