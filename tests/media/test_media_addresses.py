"""Which addresses are the public internet: an own table, the same on every Python."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from effort import examples
from evolution_sdk.media.fetching import purpose_of

SPECIAL_4 = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "255.255.255.255/32",
    "168.63.129.16/32",
)  # fmt: skip
SPECIAL_6 = (
    "::/128", "::1/128", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
    "2001::/32", "2001:10::/28", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16",
    "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "4000::/3",
)  # fmt: skip
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
    "126.255.255.255", "128.0.0.0", "169.253.0.1", "172.15.255.255", "172.32.0.0", "192.0.1.0",
    "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
    "2606:4700::1111", "2a00:1450:4001::200e", "2001:4860:4860::8888", "2003::1",
)  # fmt: skip


def inside(networks: Iterable[str]) -> st.SearchStrategy[Any]:
    """Any address of some networks."""
    return st.sampled_from([ipaddress.ip_network(text) for text in networks]).flatmap(
        lambda network: st.integers(0, network.num_addresses - 1).map(lambda at: network[at])
    )


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_have_no_purpose(address: str) -> None:
    assert purpose_of(address) is None


@pytest.mark.parametrize(
    ("address", "purpose"),
    [
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("0.0.0.0", "unspecified"),
        ("::", "unspecified"),
        ("169.254.1.1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("169.254.169.254", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("168.63.129.16", "metadata"),
        ("10.1.2.3", "private"),
        ("fd12::1", "private"),
        ("100.64.0.1", "shared"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("::ffff:127.0.0.1", "loopback"),
        ("::ffff:8.8.8.8", "embedded"),
        ("::127.0.0.1", "loopback"),
        ("64:ff9b::a9fe:a9fe", "metadata"),
        ("64:ff9b::808:808", "embedded"),
        ("2002:7f00:1::", "loopback"),
        ("2002:808:808::", "embedded"),
        ("2001:0:4136:e378:8000:63bf:80ff:fffe", "loopback"),
        ("4000::1", "reserved"),
    ],
)
def test_what_an_address_is_for(address: str, purpose: str) -> None:
    assert purpose_of(address) == purpose


@given(inside(SPECIAL_4 + SPECIAL_6))
@settings(max_examples=examples(300))
def test_no_special_address_passes_for_public(address: Any) -> None:
    assert purpose_of(str(address)) is not None
    if address.version == 6:
        assert purpose_of(f"{address}%1") is not None
        assert purpose_of(address.exploded) is not None


@given(inside(SPECIAL_4), st.sampled_from(["::ffff:{}", "::{}", "64:ff9b::{}"]))
@settings(max_examples=examples(100))
def test_nor_one_inside_an_ipv6_address(address: Any, form: str) -> None:
    assert purpose_of(form.format(address)) is not None


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=examples(200))
def test_we_are_never_laxer_than_python(number: int) -> None:
    address = ipaddress.IPv4Address(number)
    if not address.is_global or address.is_multicast or address.is_reserved:
        assert purpose_of(str(address)) is not None


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "1.2.3.4.5", "[::1]"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match="address"):
        purpose_of(text)


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "0177.0.0.1", "2130706433", "0x7f000001", "0"])
def test_the_resolver_spells_them_out(host: str) -> None:
    """Which is why addresses are judged after it, not as they were written."""
    (row, *_) = socket.getaddrinfo(host, 80, type=socket.SOCK_STREAM)
    assert purpose_of(str(row[4][0])) in ("loopback", "unspecified")
