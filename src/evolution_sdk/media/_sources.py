"""Reading what callers pass as media: base64, data URIs and URLs."""

from __future__ import annotations

import base64
import ipaddress
import re
from pathlib import PurePosixPath
from urllib.parse import SplitResult, unquote, unquote_to_bytes, urlsplit

from evolution_sdk.errors import RequestValidationError

_FIELD = "media"
_BLANKS = re.compile(r"\s+")
_ALPHABET = re.compile(r"[A-Za-z0-9+/]*={0,2}")
# The server's validator (class-validator's isURL) demands this of a host that is not an IP, and
# fewer than 2083 characters of the whole.
_LABEL = re.compile(r"(?!-)[a-z0-9\u00a1-\uff00-]{1,63}(?<!-)", re.IGNORECASE)
_TOP_LEVEL = re.compile(r"[a-z\u00a1-\uff00]{2,}|xn[a-z0-9-]{2,}", re.IGNORECASE)
_MAX_SERVER_URL = 2082


def decode_base64(text: str) -> bytes:
    """Decode strict, padded base64; blanks and line ends in it are ignored.

    Raises:
        RequestValidationError: It is empty, incomplete, or not base64.
    """
    compact = _BLANKS.sub("", text)
    if not compact:
        raise RequestValidationError(_FIELD, "must not be empty")
    if not _ALPHABET.fullmatch(compact):
        hint = " (this looks like base64url)" if re.fullmatch(r"[\w=-]+", compact, re.ASCII) else ""
        raise RequestValidationError(_FIELD, f"must be base64: A-Z a-z 0-9 + / and =, only{hint}")
    if len(compact) % 4:
        raise RequestValidationError(_FIELD, "must be complete base64, padded with =")
    try:
        return base64.b64decode(compact, validate=True)
    except ValueError:
        raise RequestValidationError(_FIELD, "must be base64 with its padding right") from None


def split_data_uri(text: str) -> tuple[str | None, bytes]:
    """Take a ``data:…;base64,…`` URI apart, since the server does not accept one.

    Returns:
        The MIME type with its parameters, or None when the URI names none; and the content.

    Raises:
        RequestValidationError: It is not in base64, or its base64 is wrong.
    """
    head, comma, payload = text.strip().partition(",")
    scheme, _, described = head.partition(":")
    mime_type, semicolon, encoding = described.rpartition(";")
    encoding = encoding.strip().lower()
    if scheme.lower() != "data" or not comma or not semicolon or encoding != "base64":
        raise RequestValidationError(_FIELD, "a data URI must have the form data:<type>;base64,…")
    if "%" in payload:
        payload = unquote_to_bytes(payload).decode("ascii", "replace")
    mime_type = mime_type.strip()
    return (mime_type if "/" in mime_type else None), decode_base64(payload)


def is_data_uri(text: str) -> bool:
    """Whether a text begins like a data URI."""
    return text.lstrip()[:5].lower() == "data:"


def check_url(url: str) -> str:
    """Take an absolute http(s) URL, without the blanks around it.

    Raises:
        RequestValidationError: It is not one.
    """
    url = url.strip()
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, usable = SplitResult("", "", "", "", ""), False
    if not usable or parts.scheme not in ("http", "https"):
        raise RequestValidationError(_FIELD, "must be an absolute http:// or https:// URL")
    if any(c.isspace() or not c.isprintable() or c in "<>" for c in url):
        raise RequestValidationError(_FIELD, "must be a URL without blanks, < and >: encode them")
    return url


def server_can_fetch(url: str) -> bool:
    """Whether to leave a URL to the server.

    Not when its validator would refuse it (a host without a dot, such as ``localhost`` or
    ``minio``; an underscore in the host; 2083 characters and more), not when the host is a loopback
    address, which is another machine over there, and not with a password in it.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if len(url) > _MAX_SERVER_URL or "@" in parts.netloc:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        labels = host.split(".")
        return (
            len(labels) > 1
            and labels[-1] != "localhost"
            and all(map(_LABEL.fullmatch, labels))
            and _TOP_LEVEL.fullmatch(labels[-1]) is not None
        )
    return not (address.is_loopback or address.is_unspecified)


def printable(text: str) -> str:
    """The text without control characters and outer blanks."""
    return "".join(c for c in text if c.isprintable()).strip()


def name_in_url(url: str) -> str:
    """The last part of a URL's path, decoded and fit for a file name; may be empty."""
    path = unquote(urlsplit(url).path).replace("\\", "/")
    name = printable(PurePosixPath(path).name)
    return "" if name in (".", "..") else name
