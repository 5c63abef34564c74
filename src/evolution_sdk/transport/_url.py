"""Destination of a request: the parts of its URL, and the proxy set by the environment."""

from __future__ import annotations

import ipaddress
import re
import urllib.request
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import SplitResult, unquote, urlsplit

from evolution_sdk._base.effect import Phase
from evolution_sdk._base.request import basic_auth
from evolution_sdk.errors import ConfigurationError, ConnectionFailedError

__all__ = [
    "Origin",
    "ascii_host",
    "check_proxy",
    "credentials_of",
    "local_error",
    "proxy_for",
    "split_url",
]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LONGEST_NAME = 253  # RFC 1035, without the closing dot
_NAME = re.compile(r"[A-Za-z0-9_~-]{1,63}(\.[A-Za-z0-9_~-]{1,63})*\.?")
_PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")


@dataclass(frozen=True, slots=True)
class Origin:
    """The part of a URL that names the server: scheme, host, port and credentials.

    Attributes:
        scheme: ``http`` or ``https``.
        host: ASCII host name or address, an IPv6 address without brackets.
        port: The port, the scheme's default if the URL has none.
        host_header: Value of the ``Host`` header.
        authorization: ``Basic …`` made from credentials in the URL, or None.
    """

    scheme: str
    host: str
    port: int
    host_header: str
    authorization: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host_header}"


def local_error(text: str) -> ConnectionFailedError:
    """Make the error for a request that cannot be sent, now or later; phase NOT_SENT."""
    error = ConnectionFailedError(text, phase=Phase.NOT_SENT)
    error.transient = False
    return error


def split_url(url: str) -> tuple[Origin, str]:
    """Split an absolute, encoded URL into its origin and its request target.

    Args:
        url: Such as ``https://host:8080/message/sendText/x?a=b``; a fragment is dropped.

    Returns:
        The origin (cached, because all calls of a client share it), and the path with its query.

    Raises:
        ConnectionFailedError: It is no absolute http(s) URL, or not encoded; phase NOT_SENT.
    """
    url = url.partition("#")[0]
    start = url.find("/", 8)  # after the longest scheme, "https://"
    base, target = (url, "/") if start < 0 else (url[:start], url[start:])
    if "?" in base:  # a query without a path; a slash found was part of it
        base, _, query = url.partition("?")
        target = f"/?{query}"
    # A blank or a control character would end the request line.
    if not target.isascii() or not target.isprintable() or " " in target:
        raise local_error("The path of the request is not URL-encoded.")
    return _origin(base), target


@lru_cache(maxsize=64)
def _origin(base: str) -> Origin:
    try:
        parts = urlsplit(base)
        host, port = ascii_host(parts.hostname or ""), parts.port
        login = credentials_of(parts)
        authorization = None if login is None else basic_auth(*login)
    except ValueError:  # also UnicodeError of a bad host name; the text may hold credentials
        raise local_error("EVOLUTION_API_URL is not a valid URL.") from None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise local_error("EVOLUTION_API_URL must start with http:// or https:// and name a host.")
    bracketed = parts.netloc.rpartition("@")[2].startswith("[")
    if not (_is_ipv6(host) if bracketed else _is_name(host)):
        raise local_error(
            "EVOLUTION_API_URL names a host that cannot exist: a name has letters, digits, '-', "
            "'_' and dots, with 1 to 63 characters between them and at most 253 in all."
        )
    if port == 0:
        raise local_error("EVOLUTION_API_URL has port 0; a port is from 1 to 65535.")
    shown = f"[{host}]" if ":" in host else host
    default = _DEFAULT_PORTS[parts.scheme]
    header = shown if port in (None, default) else f"{shown}:{port}"
    return Origin(parts.scheme, host, port or default, header, authorization)


def ascii_host(host: str) -> str:
    """Return the ASCII form of a host name, by which it is looked up.

    Raises:
        UnicodeError: It has no such form.
    """
    return host if host.isascii() else host.encode("idna").decode("ascii")


def _is_name(host: str) -> bool:
    """Return True for a valid host name; the libraries break on an empty or long label."""
    return len(host) <= _LONGEST_NAME and _NAME.fullmatch(host) is not None


def _is_ipv6(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False


def credentials_of(parts: SplitResult) -> tuple[str, str] | None:
    """Return user and password from a URL, or None."""
    if parts.username is None:
        return None
    return unquote(parts.username), unquote(parts.password or "")


def proxy_for(setting: str | None, origin: Origin) -> str | None:
    """Choose the proxy for a server.

    Args:
        setting: The URL set by the user, for every server.
        origin: The server to reach.

    Returns:
        The URL set by the user, else that of HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY (or
        the operating system), or None for a direct connection.
    """
    if setting is not None:
        return setting
    proxies = urllib.request.getproxies()
    url = proxies.get(origin.scheme) or proxies.get("all")
    if not url or urllib.request.proxy_bypass(f"{origin.host}:{origin.port}"):
        return None
    return check_proxy(url if "://" in url else f"http://{url}")


def check_proxy(url: str) -> str:
    """Return a proxy URL, or raise ConfigurationError if it cannot work."""
    # The error does not show the URL, which may hold credentials.
    try:
        parts = urlsplit(url)
        host = ascii_host(parts.hostname or "")
        login = credentials_of(parts)
        if login is not None:
            basic_auth(*login)  # raises for half a surrogate pair, which cannot be encoded
        usable = (
            parts.scheme in _PROXY_SCHEMES
            and (_is_name(host) or _is_ipv6(host))
            and parts.port != 0
        )
    except ValueError:
        usable = False
    if not usable:
        raise ConfigurationError(
            "The proxy must be a URL such as http://host:3128 or socks5://host:1080.",
            variable="proxy",
        )
    return url
