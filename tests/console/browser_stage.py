"""A console on the fake in real Chromium: what the server is told shows on the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from evolution_sdk import EvolutionClient
from evolution_sdk.events import EventRouter, MessagesUpsert
from evolution_sdk.monitor import EvolutionConsole, EvolutionMonitorService
from evolution_sdk.outbox import Outbox
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.testing.fake.serve import serving
from evolution_sdk.webhooks import WebhookReceiver

TOKEN = "a-token-of-24-characters"
# The longest that a test looks for something; what comes is seen at once.
PATIENCE_MS = 10_000
SENDER = "5511900000001@s.whatsapp.net"


class Stage:
    """A fake server, a monitor that is checked by hand, a receiver, an outbox and their console.

    Attributes:
        works: Whether handlers of events succeed.
    """

    def __init__(self, folder: Path, stack: ExitStack, **options: Any) -> None:
        self.fake = FakeEvolution(api_key="key")
        self.works = True
        url = stack.enter_context(self.fake.serve()).url
        self.client = stack.enter_context(EvolutionClient(url, "key", instance="sales"))
        router = EventRouter()

        @router.on(MessagesUpsert)
        def handle(event: MessagesUpsert) -> None:
            if not self.works:
                raise ValueError("a handler that fails")

        self.receiver = WebhookReceiver(router, client=self.client, inbox=folder / "inbox.db")
        self.receiver.start()
        stack.callback(self.receiver.close)
        self.outbox = Outbox(folder / "outbox.db", client=self.client)
        stack.callback(self.outbox.close)
        self.monitor = EvolutionMonitorService(
            self.client, instances="*", sinks=(), outbox=self.outbox
        )
        stack.callback(self.monitor.close)
        self.console = EvolutionConsole(
            self.monitor,
            outbox=self.outbox,
            receiver=self.receiver,
            **{"token": TOKEN, "actions": True, **options},
        )
        stack.callback(self.console.close)
        made: Any = self.console
        self.url: str = stack.enter_context(serving(made, 0))

    def check(self) -> None:
        """Make one check of health."""
        self.monitor.check_health_sync()

    def lose(self, name: str) -> None:
        """Close an instance, as its event tells, and check."""
        self.fake.set_state(name, "close")
        data = {"instance": name, "state": "close", "statusReason": 428}
        self.client.feed({"event": "connection.update", "instance": name, "data": data})
        self.check()

    def recover(self) -> None:
        """Make as many checks as it takes until good news count."""
        for _ in range(self.monitor.config.monitoring.thresholds.recover_checks):
            self.check()

    def receive(self, key_id: str) -> None:
        """Take in an event, as the server posts it."""
        key = {"id": key_id, "fromMe": False, "remoteJid": SENDER}
        data = {"key": key, "message": {"conversation": "oi"}, "messageType": "conversation"}
        body = {"event": "messages.upsert", "instance": "sales", "data": data}
        answer = self.receiver.handle(
            "POST", "/hook", {"content-type": "application/json"}, json.dumps(body).encode()
        )
        assert answer[0] == 200
        assert self.receiver.drain()


@contextmanager
def stage(folder: Path, *names: str, **options: Any) -> Iterator[Stage]:
    with ExitStack() as stack:
        made = Stage(folder, stack, **options)
        for name in names:
            made.fake.create_instance(name, state="open")
        made.check()
        yield made
