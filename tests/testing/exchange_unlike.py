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
        path: A pattern for their path.
    """

    reason: str
    names: str
    versions: str = ""
    channel: str = ""
    path: str = ""

    def covers(self, exchange: Exchange) -> bool:
        return (
            re.fullmatch(self.names, exchange.name) is not None
            and re.search(self.versions, exchange.version) is not None
            and re.search(self.channel, exchange.channel) is not None
            and re.search(self.path, exchange.request["path"]) is not None
        )


_ROWS = "rows of a longer history than is arranged here"
_LATE = "the server deletes a moment after it has answered; the fake does it at once"
_EARLIER = "an earlier exchange, or its failure, had left another state"
UNLIKE = [
    Unlike(_ROWS, r"instance\.fetchInstances\.(all|final|by_name\.baileys|by_id)"),
    Unlike(_ROWS, r"chat\.findMessages\.(page|from_me_false|by_timestamp)", "", "EVOLUTION"),
    Unlike(_ROWS, r"findChats|findStatusMessage|findMessages (all rows|rows \(extra\)|by phone.*)"),
    Unlike(_ROWS, "webhook.find.after_disable", "^2.2.3"),
    Unlike(_LATE, r"instance\.delete\.(evolution|whatsapp-business)\.again"),
    Unlike(_LATE, r"instance\.connectionState\.whatsapp-(business|baileys)\.right_after_delete"),
    Unlike(_LATE, r"instance\.fetchInstances\.evolution\.after_logout"),
    Unlike(_EARLIER, r"instance\.logout\.whatsapp-baileys", "^2.2.3"),
    Unlike(_EARLIER, r"instance\.create\.empty_name", r"^2\.(3|4)"),
    Unlike(_EARLIER, "instance.connect when open", "^2.3.7", path="/simx"),
    Unlike(_EARLIER, r"chat\.findContacts\.where_(id|pushName)", "^2.2.3", "EVOLUTION", "/nr-evo"),
    Unlike(
        "the simulated phone was connected again before the answer",
        r"instance\.restart",
    ),
    Unlike(
        "the fake's phones log out with 401, and not with 403",
        "instance.fetchInstances after 403",
    ),
    Unlike(
        "the upload middleware of these builds words it otherwise; nobody can tell by version",
        r"message\.sendMedia\.multipart_wrong_field",
    ),
    Unlike("inbound: Chatwoot itself calls this route", r"chatwoot\.webhook"),
    Unlike("the stand-in for Meta had another sample template", r"template\.find"),
    Unlike("WebAssembly failed on the machine of the recording", "sendPtv base64"),
    Unlike(
        "its library made no thumbnail, and some of its nodes lack members",
        r"sendMedia image base64",
        "^2.2.3",
    ),
    Unlike(
        "its library's sticker names statusAttributions, empty", "sendSticker base64", r"^2\.(3|4)"
    ),
    Unlike("2.2.3 trips over the answer of the stand-in for Typebot", r"typebot\.start", "^2.2.3"),
    Unlike("no thumbnail of this picture could be made there", "sendMedia with messageId"),
    Unlike(
        "the simulated network answers every create with the same group, without changes",
        r"group\.create",
        channel="simulated",
    ),
    Unlike(
        "2.2.3's library does not tell the phone behind a member",
        r"group\.participants",
        "2.2.3",
        "simulated",
    ),
    Unlike(
        "2.2.3 fails in a look-up of its own before it looks for the client",
        r"notconnected\.never_connected\.sendText",
        "^2.2.3",
    ),
]


def why_unlike(exchange: Exchange) -> str | None:
    return next((unlike.reason for unlike in UNLIKE if unlike.covers(exchange)), None)
