"""The pages at / and /operator: try the service out, and see what it does, in a browser."""

import hashlib
import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.conditions import not_modified

router = APIRouter(include_in_schema=False)

_STATIC = Path(__file__).parents[1] / "static"
_FILES = {
    "/": "index.html",
    "/playground.js": "playground.js",
    "/source.js": "source.js",
    "/playground.css": "playground.css",
    "/icon.svg": "icon.svg",
    "/operator": "operator.html",
    "/operator.js": "operator.js",
    "/operator.css": "operator.css",
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


def _serves(name: str) -> Callable[[Request], Awaitable[Response]]:
    content = (_STATIC / name).read_bytes()
    media_type, _ = mimetypes.guess_type(name)
    headers = _HEADERS | {"ETag": f'"{hashlib.sha256(content).hexdigest()}"'}

    async def file(request: Request) -> Response:
        return not_modified(request, headers) or Response(
            content, headers=headers, media_type=media_type
        )

    return file


for _path, _name in _FILES.items():
    router.add_api_route(_path, _serves(_name))
