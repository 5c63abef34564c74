"""The channel WHATSAPP-BAILEYS: a WhatsApp Web session over the simulated phone network."""

from __future__ import annotations

from evolution_sdk.testing.fake.channels.base import Channel

from . import catalog, chat, group, label, lowlevel, messages, profile, sending

BAILEYS_CHANNEL = Channel(
    methods={
        **messages.METHODS,
        **chat.METHODS,
        **profile.METHODS,
        **sending.METHODS,
        **group.METHODS,
        **label.METHODS,
        **catalog.METHODS,
        **lowlevel.METHODS,
    },
    refusal="Method not available",
)
