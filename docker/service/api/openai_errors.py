"""Errors in OpenAI's form, with the statuses, types and codes that its own API answers with.

https://platform.openai.com/docs/guides/error-codes; the clients choose an exception by the status.
"""

from typing import Any

from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from api.problems import Problem

_INVALID = "invalid_request_error"
_KINDS: dict[str, tuple[str, str | None]] = {
    "unauthorized": (_INVALID, "invalid_api_key"),
    "rate-limited": ("requests", "rate_limit_exceeded"),
    "quota-exceeded": ("insufficient_quota", "insufficient_quota"),
    "not-found": (_INVALID, "unknown_url"),
    "method-not-allowed": (_INVALID, "method_not_supported"),
    "not-json": (_INVALID, "unsupported_content_type"),
    "malformed-json": (_INVALID, None),
}
"""Type and code of each problem that OpenAI has, too; others keep their own code."""

_CODES = {
    "missing": "missing_required_parameter",
    "extra_forbidden": "unknown_parameter",
    "string_too_long": "string_above_max_length",
    "string_too_short": "empty_string",
    "greater_than_equal": "integer_below_min_value",
    "less_than_equal": "integer_above_max_value",
}
"""By pydantic's name of the fault; what has another is a type or a value that is not taken."""


class OpenAIError(BaseModel):
    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIErrorResponse(BaseModel):
    error: OpenAIError


def error_of(problem: Problem) -> OpenAIError:
    if faults := problem.extra.get("errors"):
        return _of_field(**faults[0])
    kind = "server_error" if problem.status >= 500 else _INVALID
    kind, code = _KINDS.get(problem.code, (kind, problem.code.replace("-", "_")))
    return OpenAIError(
        message=problem.detail, type=kind, param=problem.extra.get("param"), code=code
    )


def _of_field(field: str, code: str, message: str) -> OpenAIError:
    match code:
        case "missing":
            message = f"Missing required parameter: '{field}'."
        case "extra_forbidden":
            message = f"Unknown parameter: '{field}'."
        case _:
            message = f"Invalid '{field}': {message}."
    other = "invalid_type" if code.endswith("_type") else "invalid_value"
    return OpenAIError(message=message, type=_INVALID, param=field, code=_CODES.get(code, other))


def respond(problem: Problem) -> Response:
    body: dict[str, Any] = {"error": error_of(problem).model_dump()}
    # OpenAI has no 422: what can't be done as asked is 400, whatever stands in its way.
    status = 400 if problem.status == 422 else problem.status
    return JSONResponse(body, status_code=status, headers=problem.headers)
