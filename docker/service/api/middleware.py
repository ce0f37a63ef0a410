"""What happens to every request, whichever route takes it."""

import re
import time
import uuid
from typing import Final

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api import request_metrics
from api.errors import answer
from api.problems import Problem, too_large
from core import logs, tracing

MAX_BODY: Final = 512 * 1024
"""Two of the longest prompts, escaped in JSON."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_JSON = ("/api/generate", "/v1/images/generations")
_INPUTS = "/api/inputs"
_EDITS = "/v1/images/edits"


class RequestContext:
    """Gives each request an id, its response the collected headers and, where something failed,
    a document that says what; counts the outcome."""

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
        if trace := tracing.here():
            # https://w3c.github.io/trace-context/#traceresponse-header
            state["headers"]["traceresponse"] = trace["traceparent"]
            tracing.note(request_id=request_id)
        started, arrived = False, time.monotonic()

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers.update(state["headers"])
                # Without a word on it, caches may keep even a 404 (RFC 9110, section 15.1).
                headers.setdefault("Cache-Control", "no-store")
                _keep_scheme(scope, headers)
                seconds = time.monotonic() - arrived
                request_metrics.count(scope, message["status"], seconds)
            await send(message)

        with logs.about(request_id=request_id, **tracing.subject(trace)):
            try:
                await self._app(scope, receive, send_with_headers)
            except Exception as error:
                if started:
                    raise
                response = answer(Request(scope), error)
                await response(scope, receive, send_with_headers)


def _keep_scheme(scope: Scope, headers: MutableHeaders) -> None:
    """Sends a client on by a path alone: only a proxy in front knows whether it came by https."""
    here = str(Request(scope).base_url)
    if headers.get("location", "").startswith(here):
        headers["location"] = "/" + headers["location"].removeprefix(here)


class Body:
    """Refuses a body that is of another kind, or too long, before anything reads it whole."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST":
            media_type = Headers(scope=scope).get("content-type", "").split(";")[0].strip().lower()
            if scope["path"] in _JSON:
                if media_type != "application/json":
                    raise Problem(415, "not-json", "The body has to be application/json.")
                receive = await _whole_body(receive)
            elif scope["path"] in (_INPUTS, _EDITS):
                receive = _bounded(scope, media_type, receive)
        await self._app(scope, receive, send)


def _bounded(scope: Scope, media_type: str, receive: Receive) -> Receive:
    """@returns what gives the body of a request with files, and raises Problem where it gets too
    long"""
    largest = Request(scope).app.state.services.settings.max_input_bytes
    if scope["path"] == _INPUTS:
        if not media_type.startswith("image/"):
            raise Problem(415, "not-a-picture", "The body has to be a picture, such as image/png.")
        limit = largest
    else:
        if media_type != "multipart/form-data":
            raise Problem(415, "not-multipart", "The body has to be multipart/form-data.")
        limit = edit_bytes(largest)
    left = limit

    async def bounded() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise too_large(limit)
        return message

    return bounded


def edit_bytes(largest_input: int) -> int:
    """Of a whole request for an edit, at most: image, mask, and the words beside them."""
    return 2 * largest_input + 2**20


async def _whole_body(receive: Receive) -> Receive:
    """@returns what gives the body in one piece
    @raises Problem, with the rest of the body unread: uvicorn reads and forgets it, so that a
    client which is still sending gets the answer"""
    body = b""
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return receive
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > MAX_BODY:
            raise too_large(MAX_BODY)
    whole: Message | None = {"type": "http.request", "body": body}

    async def replay() -> Message:
        nonlocal whole
        if whole is None:
            return await receive()
        message, whole = whole, None
        return message

    return replay
