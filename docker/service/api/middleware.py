"""What happens to every request, whichever route takes it."""

import re
import uuid
from typing import Final

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import Problem, respond
from tasks import metrics

MAX_BODY: Final = 64 * 1024

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
# What takes a body, and is counted, under its name in the metric.
_GENERATE = {"/api/generate": "generate", "/v1/images/generations": "openai"}


class RequestContext:
    """Gives each request an id, its response the collected headers, and counts the outcome."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["headers"] = {"X-Request-Id": request_id, "X-Content-Type-Options": "nosniff"}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(state["headers"])
                _count(scope["path"], message["status"])
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _count(path: str, status: int) -> None:
    # The client's own mistakes are no failures of the service.
    if path in _GENERATE and not 400 <= status < 500:
        outcome = "failed" if status >= 500 else "success"
        metrics.REQUESTS.labels(_GENERATE[path], outcome).inc()


def _takes_body(scope: Scope) -> bool:
    return scope["method"] == "POST" and scope["path"] in _GENERATE


class JsonBody:
    """Refuses a body that is no JSON, or too long, before anything reads it whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _takes_body(scope):
            await self._app(scope, receive, send)
            return
        media_type = Headers(scope=scope).get("content-type", "").split(";")[0].strip().lower()
        if media_type != "application/json":
            detail = "The body has to be application/json."
            await self._refuse(Problem(415, "not-json", detail), scope, receive, send)
            return
        body = b""
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_BODY:
                detail = f"The body may have at most {MAX_BODY} bytes."
                await self._refuse(Problem(413, "too-large", detail), scope, receive, send)
                return
        whole: Message | None = {"type": "http.request", "body": body}

        async def replay() -> Message:
            nonlocal whole
            if whole is None:
                return await receive()
            message, whole = whole, None
            return message

        await self._app(scope, replay, send)

    async def _refuse(self, problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
        # The rest of the body stays unread.
        problem.headers["Connection"] = "close"
        await respond(Request(scope), problem)(scope, receive, send)
