"""The rules by which a file is fetched from here; internal to the SDK."""

from ._addresses import purpose_of
from ._redirects import MOST_REDIRECTS, next_url
from ._urls import check_url, encoded, host_is_listed

__all__ = [
    "MOST_REDIRECTS",
    "check_url",
    "encoded",
    "host_is_listed",
    "next_url",
    "purpose_of",
]
