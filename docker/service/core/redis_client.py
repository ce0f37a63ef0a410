"""Connections to Redis."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def connect(url: str, *, patience: float = 2) -> "Redis":
    """A client that tries once more on a new connection: those it keeps are dead after a restart
    of the server, each of them."""
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_connect_timeout=2,
        socket_timeout=patience,
        health_check_interval=15,
        retry=Retry(NoBackoff(), 1),
    )
