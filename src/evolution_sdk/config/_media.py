"""The media section of the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, cast

from pydantic import BeforeValidator

from ._base import Section, Variable

_RULE = "host names with or without a port, separated by commas; no URLs, no wildcards"
_EXAMPLE = "minio:9000,files.internal"
_HOST = re.compile(r"(?:[^\s/@:*?#\[\]\\,]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?")


def _hosts(value: object) -> object:
    """Read hosts from the variable's text, or from a list."""
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple | set | frozenset):
        raise ValueError("not a list of hosts")  # noqa: TRY004 - pydantic reports only these
    found: list[str] = []
    for host in cast("Iterable[object]", value):
        text = host.strip().lower() if isinstance(host, str) else ""
        if not text and isinstance(host, str):
            # An empty part comes from a comma at the end.
            continue
        if not _HOST.fullmatch(text):
            raise ValueError("not a host")
        found.append(text)
    return tuple(dict.fromkeys(found))


class MediaConfig(Section):
    """Treatment of files given as URLs.

    Attributes:
        fetch_hosts: Hosts whose files this client downloads itself and sends as content, because
            the server cannot reach them or rejects their URLs (``minio:9000``). Every address of
            such a host is allowed, private ones too. An entry with a port allows that port alone;
            an IPv6 address is written in brackets. Empty: nothing is downloaded unless
            ``Media.from_url`` asks for it.
    """

    fetch_hosts: Annotated[
        tuple[str, ...],
        BeforeValidator(_hosts),
        Variable("EVOLUTION_MEDIA_FETCH_HOSTS", _RULE, _EXAMPLE),
    ] = ()
