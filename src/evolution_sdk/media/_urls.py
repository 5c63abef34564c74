"""URLs of files: their form, the party that can fetch them, and hosts named in the settings."""

from __future__ import annotations

import ipaddress
import re
import socket
import unicodedata
from collections.abc import Collection
from functools import cache
from pathlib import PurePosixPath
from urllib.parse import SplitResult, quote, unquote, urlsplit

from evolution_sdk.errors import RequestValidationError

from ._addresses import WITHIN_ONE_MACHINE, purpose_of

__all__ = [
    "check_url",
    "encoded",
    "host_is_listed",
    "looks_like_url",
    "name_in_url",
    "printable",
    "why_not_handed_over",
    "why_server_refuses",
]

_FIELD = "media"
# The server's validator (class-validator's isURL) demands this form of a host that is not an IP
# address, and fewer than 2083 characters in total.
_MAX_SERVER_URL = 2082
_BEGINS = "must begin with http:// or https://"
_URL_LIKE = re.compile(
    r"[a-z][a-z0-9+.-]*:/|https?\b|htt?ps?\W|//|www\."
    # A host and a path. The last label of the host has only letters, unlike many file names.
    r"|(?:[a-z0-9-]+\.)+(?:[a-z]{2,24})(?::\d+)?/",
    re.IGNORECASE,
)
_DRIVE = re.compile(r"[a-z]:[\\/](?!/)", re.IGNORECASE)
_SAFE = "%/:=&?~#+!$,;'@()*[]"


@cache
def _host_forms() -> tuple[re.Pattern[str], re.Pattern[str]]:
    # Compiled with the first URL: so wide a range without regard to case takes milliseconds.
    label = r"(?!-)[a-z0-9\u00a1-\uff00-]{1,63}(?<!-)"
    top_level = r"[a-z\u00a1-\uff00]{2,}|xn[a-z0-9-]{2,}"
    return re.compile(label, re.IGNORECASE), re.compile(top_level, re.IGNORECASE)


def looks_like_url(text: str) -> bool:
    """Tell whether a text is meant to be a URL; ``C:/x.pdf`` is not."""
    text = text.strip()
    return _URL_LIKE.match(text) is not None and _DRIVE.match(text) is None


def check_url(url: object) -> str:
    """Check an absolute http(s) URL, and strip the blanks around it.

    Raises:
        RequestValidationError: It is not one, or contains a user name: the part before an ``@`` is
            easily mistaken for the host, and a password would appear in the server's logs.
    """
    if not isinstance(url, str):
        raise RequestValidationError(_FIELD, "must be a URL, as text")
    url = url.strip()
    if not url:
        raise RequestValidationError(_FIELD, "must not be empty")
    if problem := _problem(url):
        raise RequestValidationError(_FIELD, problem)
    return url


def _problem(url: str) -> str | None:
    scheme = re.match(r"(https?)(:?/{0,2})", url, re.IGNORECASE)
    if scheme is None:
        other = re.match(r"[a-z][a-z0-9+.-]{0,11}:", url, re.IGNORECASE)
        return f"{_BEGINS}, not with {other[0]}" if other else _BEGINS
    if scheme[2] != "://":
        return f"{_BEGINS}; {scheme[0]} lacks a part of ://"
    if any(c.isspace() or not c.isprintable() or c in '<>\\"' for c in url):
        return "must be a URL without blanks, quotes, backslashes, < and >: encode them (%20)"
    try:
        parts = urlsplit(url)
    except ValueError:
        return "must be a URL with a host: a name, or an address (an IPv6 one in brackets)"
    if "@" in parts.netloc:
        return (
            "must be a URL without a user name or password (all before @): fetch the file with "
            "them yourself, and pass its content"
        )
    return _host_problem(parts)


def _host_problem(parts: SplitResult) -> str | None:
    if not parts.hostname:
        return "must be a URL that names a host, such as https://files.example.com/a.pdf"
    try:
        port = parts.port  # raises for a port that is no number or too large
    except ValueError:
        port = 0
    if port == 0:
        return "must be a URL whose port is a number from 1 to 65535"
    labels = parts.hostname.removesuffix(".").split(".")
    if ":" not in parts.hostname and not all(0 < len(label) < 64 for label in labels):
        return "must be a URL whose host has parts of 1 to 63 characters between its dots"
    return None


def why_server_refuses(url: str) -> str | None:
    """Return the reason why the server certainly rejects a URL, or None.

    Its validator demands a host with a dot (not ``localhost``, ``minio``) or an address, no
    underscore in it, and fewer than 2083 characters (`facts/semantics.md` §6).
    """
    if len(url) > _MAX_SERVER_URL:
        return f"a URL of more than {_MAX_SERVER_URL} characters"
    host = urlsplit(url).hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        if len(labels) < 2:
            return "a host without a dot"
        label, top_level = _host_forms()
        fit = all(map(label.fullmatch, labels)) and top_level.fullmatch(labels[-1])
        return None if fit and labels[-1] != "localhost" else "such a host name"
    return None


def why_not_handed_over(url: str) -> str | None:
    """Return the reason why a URL is not passed to the server unless the caller asks, or None.

    An address of the server's own machine, its link or its cloud's metadata never holds a file, but
    an attacker's text could make the server read it (SSRF). Names are not looked up here, because
    they may resolve differently on the server.
    """
    purpose = _purpose_of_host(urlsplit(url).hostname or "")
    if purpose not in WITHIN_ONE_MACHINE:
        return None
    return f"{'an' if purpose[0] in 'aeiou' else 'a'} {purpose} address"


def _purpose_of_host(host: str) -> str | None:
    """Return the purpose of a numeric host in any notation; None for a name."""
    plain = unicodedata.normalize("NFKC", host).replace("\u3002", ".")
    try:
        return purpose_of(plain)
    except ValueError:
        pass
    try:
        return purpose_of(socket.inet_ntoa(socket.inet_aton(plain)))  # hexadecimal, octal, short
    except (OSError, ValueError):
        return None


def host_is_listed(url: str, hosts: Collection[str]) -> bool:
    """Tell whether the settings name the URL's host, alone or with its port.

    Args:
        url: A checked URL.
        hosts: Lower-case ``host`` or ``host:port``, with an IPv6 address in brackets.
    """
    if not hosts:
        return False
    parts = urlsplit(url)
    # "minio." with the dot of the DNS root is the same host.
    host = (parts.hostname or "").removesuffix(".")
    host = f"[{host}]" if ":" in host else host
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return host in hosts or f"{host}:{port}" in hosts


def encoded(url: str) -> str:
    """Percent-encode a checked URL, as it is sent."""
    parts = urlsplit(url)
    path, query = quote(parts.path, safe=_SAFE), quote(parts.query, safe=_SAFE)
    return parts._replace(path=path, query=query, fragment="").geturl()


def printable(text: str) -> str:
    """Remove control characters and outer blanks."""
    return "".join(c for c in text if c.isprintable()).strip()


def name_in_url(url: str) -> str:
    """Return the last part of a URL's path as a file name; may be empty."""
    path = unquote(urlsplit(url).path).replace("\\", "/")
    name = printable(PurePosixPath(path).name)
    return "" if name in (".", "..") else name
