"""Conditional requests (RFC 9110, section 13): what a client has already is not sent again."""

from collections.abc import Mapping

from fastapi import Request
from fastapi.responses import Response


def not_modified(request: Request, headers: Mapping[str, str]) -> Response | None:
    """304 for a client whose copy has the ETag of these headers."""
    known = [
        tag.strip().removeprefix("W/")
        for tag in request.headers.get("if-none-match", "").split(",")
    ]
    if headers["ETag"] in known or "*" in known:
        return Response(status_code=304, headers=dict(headers))
    return None
