"""What each kind of instance does with a call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evolution_sdk.testing.fake.router import Call, Handler
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


def on_channel(member: str, check: Callable[[Call], None] | None = None) -> Handler:
    """A handler that hands the call to the instance's channel.

    Args:
        member: The server's name of the method.
        check: What its controller checks first.
    """

    def handler(call: Call) -> Any:
        if check is not None:
            check(call)
        instance = call.world.running(call.instance, member)
        return CHANNELS[instance.integration].invoke(member, call, instance)

    return handler
