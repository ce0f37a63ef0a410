"""Which tasks workers on trial draw: a share of those that name no model, told by their ids alone.

A trial risks nobody's picture: what such a worker failed, gave back or did not take in time is the
others'."""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func

from core.schema import seconds_from_now
from core.schema import task_table as t
from core.settings import CANARY, Settings

SECONDS = 30
"""How long a task waits for a worker on trial."""
_LEVELS = 256


def queue_of(settings: Settings, task_id: UUID, model: str | None) -> str | None:
    """Where its first ticket goes."""
    chosen = model is None and task_id.bytes[-1] < _level(settings.canary_share)
    return CANARY if chosen else model


def is_chosen(share: float) -> ColumnElement[bool]:
    """The same in PostgreSQL, as long as it is their turn. The last byte of an id is random.

    https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7"""
    return and_(
        t.c.model.is_(None),
        t.c.attempt == 0,
        func.get_byte(func.uuid_send(t.c.id), 15) < _level(share),
        t.c.created_at > seconds_from_now(-SECONDS),
    )


def _level(share: float) -> int:
    return round(share * _LEVELS)
