"""Errors as problem documents (RFC 9457)."""

from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse


class Problem(Exception):  # noqa: N818
    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.extra = extra

    def response(self) -> JSONResponse:
        return JSONResponse(
            {
                "type": f"urn:problem:{self.code}",
                "title": HTTPStatus(self.status).phrase,
                "status": self.status,
                "detail": self.detail,
                **self.extra,
            },
            status_code=self.status,
            headers=self.headers,
            media_type="application/problem+json",
        )


def store_down() -> Problem:
    return Problem(
        503,
        "store-unavailable",
        "A store behind the service does not answer.",
        headers={"Retry-After": "5"},
    )
