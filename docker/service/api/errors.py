"""Errors as answers: problem documents (RFC 9457), and OpenAI's form under /v1."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from api import openai_errors
from api.methods import allowed
from api.problems import Problem, store_down
from core import metrics
from core.outages import is_outage

log = logging.getLogger(__name__)


class FieldFault(BaseModel):
    field: str
    code: str
    """As pydantic names it, e.g. `missing` or `less_than_equal`."""
    message: str


class ProblemDocument(BaseModel):
    """What every error looks like."""

    type: str
    title: str
    status: int
    detail: str
    request_id: str
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


def install(app: FastAPI) -> None:
    """Makes every error of the app one of these documents."""
    for kind in (Problem, RequestValidationError, HTTPException):  # others reach RequestContext
        app.add_exception_handler(kind, _handle)


async def _handle(request: Request, error: Exception) -> Response:
    return answer(request, error)


def answer(request: Request, error: Exception) -> Response:
    problem = problem_of(request, error)
    if problem.code in metrics.REFUSALS:
        metrics.REFUSED.labels(problem.code).inc()
    return _respond(request, problem)


def _respond(request: Request, problem: Problem) -> Response:
    if request.url.path.startswith("/v1/"):
        return openai_errors.respond(problem)
    return JSONResponse(
        document(request, problem),
        status_code=problem.status,
        headers=problem.headers,
        media_type="application/problem+json",
    )


def document(request: Request, problem: Problem) -> dict[str, Any]:
    return {
        "type": f"urn:problem:{problem.code}",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "detail": problem.detail,
        "request_id": request.state.request_id,
        **problem.extra,
    }


def problem_of(request: Request, error: Exception) -> Problem:
    """What a client is told of the error; what only the operator can use is logged."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _invalid(error)
    if isinstance(error, HTTPException):
        return _http(request, error)
    if is_outage(error):
        log.warning("outage: %r", error)
        return store_down()
    log.error("bug", exc_info=error)
    return Problem(500, "internal-error", "Something is wrong in the service.")


def _invalid(error: RequestValidationError) -> Problem:
    faults = [
        FieldFault(
            field=".".join(str(part) for part in fault["loc"][1:]) or str(fault["loc"][0]),
            code=fault["type"],
            message=fault["msg"].removeprefix("Value error, "),
        )
        for fault in error.errors()
    ]
    if any(fault.code == "json_invalid" for fault in faults):
        return _malformed()
    detail = "; ".join(f"{fault.field}: {fault.message}" for fault in faults)
    errors = [fault.model_dump() for fault in faults]
    return Problem(422, "invalid-request", detail, errors=errors)


def _http(request: Request, error: HTTPException) -> Problem:
    if error.status_code == HTTPStatus.BAD_REQUEST:
        # FastAPI's own, for a body that Python's decoder gives up on.
        return _malformed()
    headers = dict(error.headers or {})
    detail = error.detail
    match error.status_code:
        case HTTPStatus.NOT_FOUND:
            detail = f"There is nothing at {request.url.path}."
        case HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = allowed(request.app.state.routes, request.scope)
            detail = f"{request.method} is not possible here, only {headers['Allow']}."
    code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
    return Problem(error.status_code, code, detail, headers=headers)


def _malformed() -> Problem:
    return Problem(400, "malformed-json", "The body is no well-formed JSON in UTF-8.")
