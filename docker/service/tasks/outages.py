"""Which errors mean that a store is away for now, and not that the code is wrong."""

import asyncpg
from obstore.exceptions import BaseError as ObjectStoreError
from redis.exceptions import RedisError
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

OUTAGES = (
    DBAPIError,
    PoolTimeout,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a server that ends while it is asked
    RedisError,
    ObjectStoreError,
    OSError,
    TimeoutError,
)

_BUGS = (
    DataError,
    IntegrityError,
    ProgrammingError,
    asyncpg.DataError,
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.SyntaxOrAccessError,
)


def is_outage(error: BaseException) -> bool:
    return isinstance(error, OUTAGES) and not isinstance(error, _BUGS)
