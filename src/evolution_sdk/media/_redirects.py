"""The next step of a fetch after an answer: pure, so that each is judged like the first."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urljoin, urlsplit

from evolution_sdk.errors import RequestValidationError

from ._urls import check_url, encoded

__all__ = ["MOST_REDIRECTS", "next_url"]

_FIELD = "media"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})

MOST_REDIRECTS = 5
"""So many redirects are followed."""


def next_url(url: str, status: int, headers: Mapping[str, str], followed: int) -> str | None:
    """Say where an answer sends us.

    Args:
        url: What was asked for.
        status: The answer's status.
        headers: Its headers, with lower-case names.
        followed: How many redirects led here.

    Returns:
        The next URL, encoded; None when the answer is the last one.

    Raises:
        RequestValidationError: It sends us round in circles, out of HTTPS, or to no URL.
    """
    target = headers.get("location")
    if status not in _REDIRECTS or target is None:
        return None
    if followed >= MOST_REDIRECTS:
        raise RequestValidationError(
            _FIELD, f"the URL was redirected more than {MOST_REDIRECTS} times"
        )
    try:
        found = encoded(check_url(urljoin(url, target)))
    except ValueError:
        raise RequestValidationError(_FIELD, "the URL redirects to no URL") from None
    except RequestValidationError as error:
        rule = f"the URL redirects to another one, which {error.rule}"
        raise RequestValidationError(_FIELD, rule) from None
    if urlsplit(url).scheme == "https" and urlsplit(found).scheme != "https":
        raise RequestValidationError(_FIELD, "the URL redirects from https:// to http://")
    return found
