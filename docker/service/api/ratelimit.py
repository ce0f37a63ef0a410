"""Requests a minute for one client address, exact over all replicas."""

import logging
import math
import time

from limits import parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter

from api.problems import Problem, store_down
from core.redis_client import connect
from core.settings import Settings

log = logging.getLogger(__name__)


class RateLimiter:
    def __init__(self, settings: Settings, counted: str) -> None:
        """@param counted: what is counted apart from all else"""
        self._counted = counted
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
            admitted = await self._window.hit(self._limit, self._counted, client)
            stats = await self._window.get_window_stats(self._limit, self._counted, client)
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
