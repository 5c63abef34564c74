"""Exchanges of versions beside 2.3.6 that the fake cannot answer alike, with the reasons."""

from __future__ import annotations

import re
from typing import NamedTuple

from exchange_data import Exchange


class Unlike(NamedTuple):
    """Exchanges with one reason.

    Attributes:
        reason: Why the fake answers otherwise.
        names: A pattern for all of their name.
        versions: A pattern for their version.
        channel: A pattern for their channel.
    """

    reason: str
    names: str
    versions: str = ""
    channel: str = ""

    def covers(self, exchange: Exchange) -> bool:
        return (
            re.fullmatch(self.names, exchange.name) is not None
            and re.search(self.versions, exchange.version) is not None
            and re.search(self.channel, exchange.channel) is not None
        )


_ROWS = "rows of a longer history than is arranged here"
_NO_LAG = "the row of a deleted instance was gone here, and not yet there"
UNLIKE: list[Unlike] = []


def why_unlike(exchange: Exchange) -> str | None:
    return next((unlike.reason for unlike in UNLIKE if unlike.covers(exchange)), None)
