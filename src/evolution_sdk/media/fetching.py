"""Rules for texts and URLs that other parts of the SDK share; not public."""

from ._addresses import purpose_of
from ._redirects import MOST_REDIRECTS, next_url
from ._sources import url_or_base64
from ._urls import check_url, encoded, host_is_listed
from ._whatsapp_hosts import is_whatsapp_url, media_address

__all__ = [
    "MOST_REDIRECTS",
    "check_url",
    "encoded",
    "host_is_listed",
    "is_whatsapp_url",
    "media_address",
    "next_url",
    "purpose_of",
    "url_or_base64",
]
