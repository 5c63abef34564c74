"""The channels, and handlers that hand a call to the channel of its instance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evolution_sdk.testing.fake.router import Handler, RouteCall
from evolution_sdk.testing.fake.state import BAILEYS, BUSINESS, EVOLUTION

from .baileys import BAILEYS_CHANNEL
from .base import Channel
from .business import BUSINESS_CHANNEL
from .evolution import EVOLUTION_CHANNEL

CHANNELS: dict[str, Channel] = {
    BAILEYS: BAILEYS_CHANNEL,
    BUSINESS: BUSINESS_CHANNEL,
    EVOLUTION: EVOLUTION_CHANNEL,
}


def on_channel(member: str, check: Callable[[RouteCall], None] | None = None) -> Handler:
    """Make a handler that hands the call to the instance's channel.

    Args:
        member: The server's name of the method.
        check: The checks of its controller, which come first.
    """

    def handler(call: RouteCall) -> Any:
        if check is not None:
            check(call)
        # The TypeError for an instance that is not loaded names the method, as in JavaScript.
        instance = call.server.running(call.instance, member)
        return CHANNELS[instance.integration].invoke(member, call, instance)

    return handler
