"""By which address a client is counted, and that a store which comes back counts again."""

import asyncio
from ipaddress import ip_network
from pathlib import Path

import pytest

from api.client_address import client_address
from api.problems import Problem
from api.ratelimit import RateLimiter
from core.settings import Settings
from tests import stores

PROXIES = (ip_network("10.244.0.0/16"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "real_ip", "expected"),
    [
        ("10.244.0.7", "203.0.113.5", "203.0.113.5"),
        ("203.0.113.9", "203.0.113.5", "203.0.113.9"),
        ("10.244.0.7", "", "10.244.0.7"),
        ("10.244.0.7", "nonsense", "10.244.0.7"),
        ("fd00::1", "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("10.244.0.7", "::ffff:203.0.113.5", "203.0.113.5"),
        ("2001:db8:1:2:aaaa::1", "", "2001:db8:1:2::/64"),
    ],
)
def test_client_address(peer: str, real_ip: str, expected: str) -> None:
    assert client_address(peer, real_ip, PROXIES) == expected


@pytest.mark.stores
async def test_a_restart_of_redis_costs_no_request_and_an_outage_is_logged(
    servers_directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with stores.redis(servers_directory / "limiter") as (redis, url):
        limiter = RateLimiter(Settings(redis_url=url, rate_limit="1000/minute"), "pictures")
        await asyncio.gather(*(limiter.admit("client") for _ in range(24)))  # fills the pool
        redis.kill()
        with pytest.raises(Problem):
            await limiter.admit("client")
        assert "Connect" in caplog.text
        redis.start()
        await asyncio.gather(*(limiter.admit("client") for _ in range(24)))
