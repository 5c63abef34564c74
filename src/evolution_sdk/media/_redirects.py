"""Redirects of a fetch, without I/O, so that each URL is checked like the first one."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from evolution_sdk.errors import RequestValidationError

from ._urls import check_url, encoded

__all__ = ["MOST_REDIRECTS", "next_url"]

_FIELD = "media"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

MOST_REDIRECTS = 5
"""Limit of redirects that are followed."""


def next_url(url: str, status: int, headers: Mapping[str, str], followed: int) -> str | None:
    """Return the URL to which an answer redirects.

    Args:
        url: The requested URL.
        status: The answer's status.
        headers: Its headers, with lower-case names.
        followed: Number of redirects followed so far.

    Returns:
        The next URL, encoded; None if the answer is not a redirect.

    Raises:
        RequestValidationError: There are too many redirects, or the target is not a valid URL or
            leaves HTTPS.
    """
    target = headers.get("location")
    if status not in _REDIRECTS or target is None:
        return None
    if followed >= MOST_REDIRECTS:
        raise RequestValidationError(
            _FIELD, f"the URL was redirected more than {MOST_REDIRECTS} times"
        )
    # The target may be relative. It has to pass the same checks as the URL of the caller.
    try:
        found = encoded(check_url(urljoin(url, target)))
    except ValueError:
        raise RequestValidationError(_FIELD, "the URL redirects to no URL") from None
    except RequestValidationError as error:
        rule = f"the URL redirects to another one, which {error.rule}"
        raise RequestValidationError(_FIELD, rule) from None
    # A file requested over TLS must not be fetched in clear text.
    if urlsplit(url).scheme == "https" and urlsplit(found).scheme != "https":
        raise RequestValidationError(_FIELD, "the URL redirects from https:// to http://")
    return found
