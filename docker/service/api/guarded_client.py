"""Requests to addresses that strangers name, which reach none that only this service can reach."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any, Final

import httpcore

from core.settings import Network

_TIMEOUTS: Final = {"connect": 5, "write": 10, "read": 10, "pool": 10}
_CONNECTIONS: Final = 100

_NAT64 = ip_network("64:ff9b::/96")
_AZURE = ip_address("168.63.129.16")
"""Its platform's, though by its number a public one:
https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16"""


class Refused(Exception):  # noqa: N818
    """There is an address that nothing is sent to."""


UNREACHABLE: Final = (
    TimeoutError,
    httpcore.TimeoutException,
    httpcore.NetworkError,
    httpcore.ProtocolError,
)
"""What there is in place of an answer."""


class TooLong(Exception):  # noqa: N818
    """More was answered than may be."""


class GuardedClient:
    """It follows no redirect."""

    def __init__(self, networks: Iterable[Network]) -> None:
        """@param networks: may be reached although they are private, and by http, too"""
        inside = tuple(networks)
        self._pools = {
            scheme: httpcore.AsyncConnectionPool(
                network_backend=_Guard(inside, public=scheme == b"https"),
                max_connections=_CONNECTIONS,
            )
            for scheme in (b"https", b"http")
        }

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()

    async def send(
        self,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes | AsyncIterator[bytes],
        *,
        seconds: float,
    ) -> int:
        """@param seconds: that all of it may take
        @returns the status; what else is answered is not read
        @throws Refused, TimeoutError, httpcore's errors"""
        pool = self._pools[httpcore.URL(url).scheme]
        timeouts = {"timeout": _TIMEOUTS}
        async with (
            asyncio.timeout(seconds),
            pool.stream(
                method, url, headers=list(headers.items()), content=body, extensions=timeouts
            ) as answer,
        ):
            return answer.status

    async def get(self, url: str, most: int, *, seconds: float) -> tuple[int, bytes]:
        """@param most: bytes of the answer
        @returns the status, and the body of a 200
        @throws TooLong, and what `send` does"""
        pool = self._pools[httpcore.URL(url).scheme]
        body = bytearray()
        async with (
            asyncio.timeout(seconds),
            pool.stream("GET", url, extensions={"timeout": _TIMEOUTS}) as answer,
        ):
            if answer.status == HTTPStatus.OK:
                async for piece in answer.aiter_stream():
                    body += piece
                    if len(body) > most:
                        raise TooLong
        return answer.status, bytes(body)


class _Guard(httpcore.AsyncNetworkBackend):
    """Looks names up itself and connects to what it has looked at: a name that is looked up twice
    may be another address the second time."""

    def __init__(self, networks: tuple[Network, ...], *, public: bool) -> None:
        self._networks = networks
        self._public = public
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"{host}: {error}") from error
        # A family, a type, a protocol, a name, and the address itself (Python's socket module).
        addresses = [str(address[0]) for *_, address in found]
        for address in addresses:
            if not self._allows(address):
                raise Refused(f"{address} may not be reached")
        for more, address in enumerate(addresses, 1 - len(addresses)):
            try:
                return await self._backend.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not more:
                    raise
        raise httpcore.ConnectError(f"{host} has no address")

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)

    def _allows(self, text: str) -> bool:
        address = _embedded(ip_address(text.partition("%")[0]))
        return (self._public and is_public(address)) or any(
            address in network for network in self._networks
        )


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether anybody may reach it: no network of its own, no host's, no cloud's metadata."""
    address = _embedded(address)
    return address.is_global and not address.is_multicast and address != _AZURE


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address that an IPv6 address leads to, if it is one that does."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(address.packed[-4:])
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo and teredo[1]) or address
