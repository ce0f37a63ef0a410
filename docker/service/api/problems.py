"""Errors: problem documents (RFC 9457), and OpenAI's form under /v1."""

import logging
import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from tasks.outages import OUTAGES, is_outage

log = logging.getLogger(__name__)


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


class FieldFault(BaseModel):
    field: str
    message: str


class ProblemDocument(BaseModel):
    """What every error looks like."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldFault] | None = None
    task_id: str | None = None


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI responses for errors that a route can answer with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "model": ProblemDocument,
            "content": {
                "application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/ProblemDocument"}
                }
            },
        }
        for status in statuses
    }


def store_down() -> Problem:
    return Problem(
        503,
        "store-unavailable",
        "A store behind the service does not answer.",
        headers={"Retry-After": "5"},
    )


def install(app: FastAPI) -> None:
    """Makes every error of the app one of these documents."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    for outage in OUTAGES:
        app.add_exception_handler(outage, _on_outage)
    app.add_exception_handler(Exception, _on_bug)


def respond(request: Request, problem: Problem) -> Response:
    if request.url.path.startswith("/v1/"):
        return _openai(problem)
    return JSONResponse(
        {
            "type": f"urn:problem:{problem.code}",
            "title": HTTPStatus(problem.status).phrase,
            "status": problem.status,
            "detail": problem.detail,
            **problem.extra,
        },
        status_code=problem.status,
        headers=problem.headers,
        media_type="application/problem+json",
    )


def _openai(problem: Problem) -> Response:
    errors = problem.extra.get("errors")
    match problem.status:
        case 401:
            kind = "authentication_error"
        case 429:
            kind = "rate_limit_error"
        case status if status >= 500:
            kind = "server_error"
        case _:
            kind = "invalid_request_error"
    return JSONResponse(
        {
            "error": {
                "message": problem.detail,
                "type": kind,
                "param": errors[0]["field"] if errors else None,
                "code": problem.code,
            }
        },
        status_code=problem.status,
        headers=problem.headers,
    )


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return respond(request, error)


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    faults = [
        FieldFault(
            field=".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0]),
            message=fault["msg"],
        )
        for fault in error.errors()
    ]
    detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults)
    errors = [fault.model_dump() for fault in faults]
    return respond(request, Problem(422, "invalid-request", detail, errors=errors))


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods(request)):
        headers["Allow"] = ", ".join(methods)
    return respond(request, Problem(error.status_code, code, error.detail, headers=headers))


def _methods(request: Request) -> list[str]:
    """Every method of a path; the router's own header has those of its first route alone."""
    return sorted(
        method.upper()
        for path, operations in request.app.openapi()["paths"].items()
        if re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", path), request.url.path)
        for method in operations
    )


async def _on_outage(request: Request, error: Exception) -> Response:
    if not is_outage(error):
        return await _on_bug(request, error)
    log.warning("outage: %r", error)
    return respond(request, store_down())


async def _on_bug(request: Request, error: Exception) -> Response:
    log.error("bug", exc_info=error)
    return respond(request, Problem(500, "internal-error", "Something is wrong in the service."))
