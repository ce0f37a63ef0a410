"""Pictures a minute for one client address, exact over all replicas."""

import logging
import math
import time
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from fastapi import Request
from limits import parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from api.problems import Problem, store_down
from tasks.redis_queue import connect
from tasks.settings import Settings

log = logging.getLogger(__name__)


class RateLimiter:
    def __init__(self, settings: Settings) -> None:
        self._limit = parse(settings.rate_limit)
        self._window = MovingWindowRateLimiter(
            MemoryStorage()
            if settings.redis_url is None
            else RedisStorage(
                f"async+{settings.redis_url}",
                implementation="redispy",
                key_prefix="ratelimit",
                connection_pool=connect(settings.redis_url).connection_pool,  # type: ignore[arg-type]
            )
        )

    async def admit(self, client: str) -> dict[str, str]:
        """Counts a request. Returns the headers that tell how many are left, or raises 429."""
        try:
            admitted = await self._window.hit(self._limit, client)
            stats = await self._window.get_window_stats(self._limit, client)
        except Exception as error:
            # Without the count nobody gets in: better no picture than no limit.
            log.warning("rate limit: %r", error)
            raise store_down() from error
        reset = max(1, math.ceil(stats.reset_time - time.time()))
        headers = {
            "RateLimit-Limit": str(self._limit.amount),
            "RateLimit-Remaining": str(stats.remaining),
            "RateLimit-Reset": str(reset),
        }
        if not admitted:
            detail = f"At most {self._limit} from one address."
            raise Problem(
                429, "rate-limited", detail, headers=headers | {"Retry-After": str(reset)}
            )
        return headers


def client_address(request: Request, settings: Settings) -> str:
    """The address to count by. A proxy is believed only when it is one of ours."""
    peer = _address(request.client.host if request.client else "")
    if peer is not None and any(peer in network for network in settings.trusted_proxies):
        peer = _address(request.headers.get("x-real-ip", "")) or peer
    if isinstance(peer, IPv6Address):
        # One customer's network: whoever has one IPv6 address has 2^64.
        return str(IPv6Network((peer, 64), strict=False))
    return str(peer)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
