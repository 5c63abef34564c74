"""Purposes of network addresses that do not belong to the public internet.

The table is our own, because ``ipaddress.is_global`` differs between Python versions and counts
addresses as public that may lead back inside: NAT64, 6to4 and Teredo contain an IPv4 address of the
writer's choice.
Source: IANA's registries of special-purpose addresses, and the metadata services of the clouds.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

__all__ = ["WITHIN_ONE_MACHINE", "purpose_of"]

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_PURPOSES: Mapping[str, tuple[str, ...]] = {
    # First, because these are parts of the larger networks below, or lie among public addresses.
    "metadata": (
        "169.254.169.254/32",
        "169.254.170.2/32",
        "168.63.129.16/32",
        "100.100.100.200/32",
        "192.0.0.192/32",
        "fd00:ec2::254/128",
        "fd20:ce::254/128",
    ),
    "unspecified": ("0.0.0.0/8", "::/128"),
    "loopback": ("127.0.0.0/8", "::1/128"),
    "link-local": ("169.254.0.0/16", "fe80::/10"),
    "private": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
    "shared": ("100.64.0.0/10",),
    "multicast": ("224.0.0.0/4", "ff00::/8"),
    "reserved": (
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "240.0.0.0/4",
        "2001::/23",
        "2001:db8::/32",
        "2620:4f:8000::/48",
        "3fff::/20",
    ),
}
_TABLE: tuple[tuple[str, _Network], ...] = tuple(
    (purpose, ipaddress.ip_network(text)) for purpose, texts in _PURPOSES.items() for text in texts
)
_UNICAST = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_COMPATIBLE = ipaddress.IPv6Network("::/96")

WITHIN_ONE_MACHINE = frozenset({"loopback", "unspecified", "link-local", "metadata"})
"""Purposes of addresses that mean something different on every machine, and never hold a file."""


def purpose_of(text: str) -> str | None:
    """Return the purpose of an address that is not public.

    Args:
        text: The numeric address; IPv6 without brackets, with or without a zone.

    Returns:
        ``loopback``, ``private``, ``link-local`` and so on; None for a public address.

    Raises:
        ValueError: It is not an address.
    """
    address = ipaddress.ip_address(text.partition("%")[0])
    carried = None if address.version == 4 else _carried(address)
    if carried is not None:
        # Never public, whatever it contains; the purpose is that of the inner address.
        return _listed(carried) or "embedded"
    return _listed(address) or _outside(address)


def _listed(address: _Address) -> str | None:
    return next((purpose for purpose, network in _TABLE if address in network), None)


def _outside(address: _Address) -> str | None:
    """Return ``reserved`` for IPv6 outside of 2000::/3, the only range assigned so far."""
    return "reserved" if address.version == 6 and address not in _UNICAST else None


def _carried(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address inside an IPv6 one."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    # ::1 is loopback and :: unspecified; other addresses of ::/96 carry an IPv4 address.
    low = int(address) & 0xFFFF_FFFF
    if address in _NAT64 or (address in _COMPATIBLE and low > 1):
        return ipaddress.IPv4Address(low)
    return None
