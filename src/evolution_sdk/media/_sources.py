"""Decoding of base64, data URIs, and texts of an unstated form."""

from __future__ import annotations

import base64
import re
from urllib.parse import unquote_to_bytes

from evolution_sdk.errors import RequestValidationError

from ._signatures import LONGEST_FRAME, type_of_content
from ._urls import check_url, looks_like_url

_FIELD = "media"
_BLANKS = re.compile(r"\s+")
_ALPHABET = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_PATH_LIKE = re.compile(r"[/\\]|^\s*[.~]|^\s*[a-z]:|\.[a-z0-9]{1,5}\s*$", re.IGNORECASE)
_LONGEST_NAME = 300
_REMEDY = "a text is a URL, a data URI or base64 (for a file pass a Path)"


def decode_base64(text: object) -> bytes:
    """Decode strict, padded base64, ignoring blanks and line ends.

    Returns:
        The content.

    Raises:
        RequestValidationError: It is empty, incomplete, or not base64.
    """
    if not isinstance(text, str):
        raise RequestValidationError(_FIELD, "must be base64, as text")
    compact = _BLANKS.sub("", text)
    if not compact:
        raise RequestValidationError(_FIELD, "must not be empty")
    if not _ALPHABET.fullmatch(compact):
        hint = " (this looks like base64url)" if re.fullmatch(r"[\w=-]+", compact, re.ASCII) else ""
        raise RequestValidationError(_FIELD, f"must be base64: A-Z a-z 0-9 + / and =, only{hint}")
    # The server's check wants padding; without it the message would be refused there.
    if len(compact) % 4:
        raise RequestValidationError(_FIELD, "must be complete base64, padded with =")
    try:
        return base64.b64decode(compact, validate=True)
    except ValueError:
        raise RequestValidationError(_FIELD, "must be base64 with correct padding") from None


def split_data_uri(text: str) -> tuple[str | None, bytes]:
    """Split a ``data:…;base64,…`` URI, since the server does not accept one.

    Returns:
        The MIME type with its parameters, or None if the URI names none; and the content.

    Raises:
        RequestValidationError: It is not base64, or its base64 is invalid.
    """
    head, comma, payload = text.strip().partition(",")
    scheme, _, described = head.partition(":")
    mime_type, semicolon, encoding = described.rpartition(";")
    encoding = encoding.strip().lower()
    if scheme.lower() != "data" or not comma or not semicolon or encoding != "base64":
        raise RequestValidationError(_FIELD, "a data URI must have the form data:<type>;base64,…")
    # A data URI may be percent-encoded, like any URI.
    if "%" in payload:
        payload = unquote_to_bytes(payload).decode("ascii", "replace")
    mime_type = mime_type.strip()
    return (mime_type if "/" in mime_type else None), decode_base64(payload)


def is_data_uri(text: str) -> bool:
    """Tell whether a text begins like a data URI."""
    return text.lstrip()[:5].lower() == "data:"


def decode_unnamed(text: str) -> bytes:
    """Decode a text that was not declared as base64, if it certainly is.

    Many names and paths are valid base64 (``boletos1``, ``/srv/boletos``), so only content of a
    known type counts.

    Raises:
        RequestValidationError: It is not base64, or may be something else; the rule says what to
            do.
    """
    try:
        data = decode_base64(text)
    except RequestValidationError as error:
        problem = error.rule
    else:
        if type_of_content(data[:LONGEST_FRAME]) is not None:
            return data
        problem = (
            "may be a path or a name as well as base64, because it decodes to no known type of "
            "file: use Media.from_base64(…) for base64"
        )
        # Too long for a name or a path: no need to guess.
        if len(text) > _LONGEST_NAME:
            raise RequestValidationError(_FIELD, f"{problem}; {_REMEDY}")
    raise RequestValidationError(_FIELD, f"{_likely_problem(text) or problem}; {_REMEDY}")


def _likely_problem(text: str) -> str | None:
    """Return the likely mistake in a text that is not base64, or None."""
    if looks_like_url(text):
        try:
            check_url(text)
        except RequestValidationError as error:
            return error.rule
    if len(text) <= _LONGEST_NAME and _PATH_LIKE.search(text):
        return "looks like a path, which is never opened here"
    return None


def url_or_base64(text: str) -> str:
    """Convert a text that is declared as a URL or base64 into the form that the server takes.

    Raises:
        RequestValidationError: It is neither.
    """
    if text.lstrip()[:8].lower().startswith(("http://", "https://")):
        return check_url(text)
    data = split_data_uri(text)[1] if is_data_uri(text) else decode_base64(text)
    return base64.b64encode(data).decode("ascii")
