"""What a request can come to besides its answer."""

from typing import Any, Final

NO_RETRY: Final = {"X-Should-Retry": "false"}
"""OpenAI's clients try 408, 409, 429 and 5xx again unless told so, each time for a new task. They
send no Idempotency-Key unless their user has them do it.
https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py, _should_retry"""


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


def store_down() -> Problem:
    return Problem(
        503,
        "store-unavailable",
        "A store behind the service does not answer.",
        headers={"Retry-After": "5"},
    )


def too_large(limit: int) -> Problem:
    return Problem(413, "too-large", f"There may be at most {limit} bytes.")


def invalid(field: str, code: str, message: str) -> Problem:
    """Of a field whose value no schema forbids."""
    errors = [{"field": field, "code": code, "message": message}]
    return Problem(422, "invalid-request", f"{field}: {message}", errors=errors)
