"""Addresses of the encrypted files that WhatsApp keeps."""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from evolution_sdk.errors import RequestValidationError

from ._urls import check_url, host_is_listed

__all__ = ["is_whatsapp_url", "media_address"]

_USUAL = "https://mmg.whatsapp.net"
_DOMAIN = ".whatsapp.net"
_TLS_PORT = 443


def is_whatsapp_url(url: str) -> bool:
    """Tell if a URL is one of WhatsApp's own, over TLS.

    Args:
        url: A checked URL.
    """
    parts = urlsplit(url)
    # "mmg.whatsapp.net." with the dot of the DNS root is the same host.
    host = (parts.hostname or "").removesuffix(".")
    return parts.scheme == "https" and host.endswith(_DOMAIN) and parts.port in {None, _TLS_PORT}


def media_address(
    url: str | None, direct_path: str | None, hosts: Collection[str] = ()
) -> str | None:
    """Find the address of a file that WhatsApp keeps.

    Whoever posts an event chooses what it says: only WhatsApp's own hosts are accepted, and those
    that the settings name.

    Args:
        url: ``url`` of the message.
        direct_path: Its ``directPath``, which lives longer.
        hosts: Hosts that are trusted, in lower case.

    Returns:
        The URL; None if the message has none of WhatsApp's.
    """
    named = _accepted(url, hosts)
    if not direct_path or not direct_path.startswith("/") or direct_path.startswith("//"):
        return named
    parts = urlsplit(named or _USUAL)
    return _accepted(f"{parts.scheme}://{parts.netloc}{direct_path}", hosts) or named


def _accepted(url: str | None, hosts: Collection[str]) -> str | None:
    try:
        checked = check_url(url)
    except RequestValidationError:
        return None
    return checked if is_whatsapp_url(checked) or host_is_listed(checked, hosts) else None
