"""One JSON object a line, for the log store to search. What is said while a request or a task is in
work names it."""

import logging
import logging.config
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS

_subject: ContextVar[dict[str, Any]] = ContextVar("subject")


@contextmanager
def about(**subject: Any) -> Iterator[None]:
    """Adds these fields to every line, of whichever logger, until it ends."""
    token = _subject.set({**_subject.get({}), **subject})
    try:
        yield
    finally:
        _subject.reset(token)


class _Subject(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.__dict__.update(_subject.get({}) | record.__dict__)
        return True


_CONFIG = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"subject": {"()": _Subject}},
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "{levelname}{name}{message}",
            "style": "{",
            "rename_fields": {"levelname": "level", "name": "logger"},
            # As RFC 3339 writes it, with its zone: a log store sorts by it.
            "timestamp": "time",
            "reserved_attrs": [*RESERVED_ATTRS, "color_message"],
        }
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "json",
            "filters": ["subject"],
        }
    },
    "root": {"level": "INFO", "handlers": ["stderr"]},
    # The access log is nginx's business.
    "loggers": {
        "uvicorn": {"handlers": [], "propagate": True},
        "uvicorn.access": {"level": "WARNING", "propagate": True},
        "alembic": {"level": "WARNING"},
    },
}


def configure() -> None:
    logging.config.dictConfig(_CONFIG)
