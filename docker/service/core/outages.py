"""Which errors mean that a store is out of use for now, and not that code or a request is wrong.

What is not named here is a bug: it is logged as one, and nobody is told to try again.
"""

import errno
import socket
import sqlite3
import ssl

import asyncpg
import redis.exceptions as redis
from obstore import exceptions as obstore
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_OUTAGES = (
    # The way there.
    ConnectionError,
    TimeoutError,
    socket.gaierror,
    ssl.SSLEOFError,
    # PostgreSQL, by the classes of https://www.postgresql.org/docs/current/errcodes-appendix.html.
    PoolTimeout,
    asyncpg.PostgresConnectionError,  # 08
    asyncpg.ReadOnlySQLTransactionError,  # 25006: a standby, in the middle of a failover
    asyncpg.InvalidAuthorizationSpecificationError,  # 28: a password that is being changed
    asyncpg.TransactionRollbackError,  # 40
    asyncpg.InsufficientResourcesError,  # 53
    asyncpg.OperatorInterventionError,  # 57
    asyncpg.PostgresSystemError,  # 58
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a server that ends while it is asked
    # Redis.
    redis.ConnectionError,
    redis.TimeoutError,
    redis.OutOfMemoryError,
    redis.ReadOnlyError,
    # The object store: what it has no word of its own for, and keys that are being changed.
    obstore.GenericError,
    obstore.PermissionDeniedError,
    obstore.UnauthenticatedError,
)
_UNREACHABLE = (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN)
_SQLITE = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
)


def is_outage(error: BaseException | None) -> bool:
    if isinstance(error, DBAPIError):
        cause = error.orig and error.orig.__cause__  # asyncpg's own error
        return error.connection_invalidated or is_outage(cause or error.orig)
    if isinstance(error, sqlite3.OperationalError):
        return error.sqlite_errorcode & 0xFF in _SQLITE
    if type(error) is OSError:
        # asyncio sums up the errors of a name's several addresses in one without a number.
        return error.errno is None or error.errno in _UNREACHABLE
    # asyncpg's complaint about an argument is an InterfaceError, too.
    return isinstance(error, _OUTAGES) and not isinstance(error, ValueError)
