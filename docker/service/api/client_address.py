"""The address that a client is counted by."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from core.settings import Network


def client_address(peer: str, real_ip: str, trusted_proxies: Collection[Network]) -> str:
    """Of the client behind `peer`. What a proxy says is believed only when it is one of ours."""
    address = _address(peer)
    if address is not None and any(address in network for network in trusted_proxies):
        address = _address(real_ip) or address
    if isinstance(address, IPv6Address):
        # One customer's network: whoever has one IPv6 address has 2^64.
        return str(IPv6Network((address, 64), strict=False))
    return str(address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
