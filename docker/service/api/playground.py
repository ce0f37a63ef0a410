"""The page at /: try the service out in a browser."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

router = APIRouter(include_in_schema=False)

_STATIC = Path(__file__).parent / "static"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@router.get("/")
async def page() -> FileResponse:
    return FileResponse(_STATIC / "index.html", headers=_HEADERS)


@router.get("/playground.js")
async def script() -> FileResponse:
    return FileResponse(_STATIC / "playground.js", headers=_HEADERS)


@router.get("/playground.css")
async def style() -> FileResponse:
    return FileResponse(_STATIC / "playground.css", headers=_HEADERS)
