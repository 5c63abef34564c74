"""Take the pictures of the console in the docs: a demo on the fake server, in real Chromium.

``python tools/console_pictures.py [DOCS]``. What is shown is made up, and the same each time but
for the clock.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from evolution_sdk import EvolutionClient, EvolutionError
from evolution_sdk.events import EventRouter, MessagesUpsert
from evolution_sdk.monitor import EvolutionConsole, EvolutionMonitorService, MonitorPorts
from evolution_sdk.outbox import Outbox
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.testing.fake.serve import serving
from evolution_sdk.webhooks import WebhookReceiver

ROOT = Path(__file__).parents[1]
TOKEN = "a-token-for-the-pictures"
STEPS = 260
STATUSES = ("SERVER_ACK", "DELIVERY_ACK", "READ")


class Clock:
    """A clock that may stand in the past: a day goes by in seconds."""

    offset_s = 0.0

    def time(self) -> float:
        """Return unix seconds."""
        return time.time() + self.offset_s

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic() + self.offset_s


class Demo:
    """A console with something to show."""

    def __init__(self, stack: ExitStack, names: list[str]) -> None:
        self.chance = random.Random(7)
        self.clock = Clock()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        self.fake = FakeEvolution(api_key="key")
        url = stack.enter_context(self.fake.serve()).url
        for name in names:
            self.fake.create_instance(name, state="open")
        self.names = names
        self.client = stack.enter_context(EvolutionClient(url, "key", instance=names[0]))
        router = EventRouter()

        @router.on(MessagesUpsert)
        def handle(event: MessagesUpsert) -> None:
            if event.text == "boom":
                raise ValueError("a handler that fails")

        self.receiver = WebhookReceiver(router, client=self.client, inbox=folder / "inbox.db")
        self.receiver.start()
        stack.callback(self.receiver.close)
        self.outbox = Outbox(folder / "outbox.db", client=self.client)
        stack.callback(self.outbox.close)
        ports = MonitorPorts(clock=self.clock)
        self.monitor = EvolutionMonitorService(
            self.client,
            instances="*",
            sinks=(),
            outbox=self.outbox,
            ports=ports,
            interval_ms=600_000,
        )
        stack.callback(self.monitor.close)
        self.console = EvolutionConsole(
            self.monitor, outbox=self.outbox, receiver=self.receiver, token=TOKEN, actions=True
        )
        stack.callback(self.console.close)
        app: Any = self.console
        self.url: str = stack.enter_context(serving(app, 0))

    def day(self) -> None:
        """Let a day go by: sends, events, checks, and two things that go wrong."""
        for step in range(STEPS):
            left = STEPS - step
            # The last hour in steps of half a minute, what was before in steps of ten minutes.
            self.clock.offset_s = -30.0 * min(left, 120) - 600.0 * max(0, left - 120)
            for place, name in enumerate(self.names[:2]):
                begin, end = ((40, 46), (90, 92))[place]
                if begin <= step <= end:
                    self._state(name, "close" if place else "connecting", step == begin)
                if step == end + 1:
                    self._state(name, "open", told=True)
            for number in range(1 + step % 3):
                self._send(10 * step + number)
            self._receive(step, "boom" if step in (7, 190) else "oi")
            self.monitor.check_health_sync()
        self.clock.offset_s = 0.0

    def _state(self, name: str, state: Any, told: bool) -> None:
        self.fake.set_state(name, state)
        if told:
            data = {"instance": name, "state": state, "statusReason": 428}
            self.client.feed({"event": "connection.update", "instance": name, "data": data})

    def _send(self, number: int) -> None:
        name, person = self.names[number % len(self.names)], f"551198765{number % 9000:04}"
        try:
            sent = self.client.instance(name).messages.send_text(person, "oi")
        except EvolutionError:
            return
        # Most messages are delivered, and half of them are read.
        for status in STATUSES[: self.chance.choice((1, 2, 2, 3, 3))]:
            data = {
                "keyId": sent.id,
                "remoteJid": sent.remote_jid,
                "fromMe": True,
                "status": status,
            }
            self.client.feed({"event": "messages.update", "instance": name, "data": data})

    def _receive(self, number: int, text: str) -> None:
        key = {"id": f"IN{number}", "fromMe": False, "remoteJid": "5511900000001@s.whatsapp.net"}
        data = {"key": key, "message": {"conversation": text}, "messageType": "conversation"}
        body = {"event": "messages.upsert", "instance": self.names[0], "data": data}
        headers = {"content-type": "application/json"}
        self.receiver.handle("POST", "/hook", headers, json.dumps(body).encode())

    def trouble(self) -> None:
        """Lose a phone, leave two messages in doubt, and keep one waiting."""
        for key in ("invoice-4711", "invoice-4712"):
            self.outbox.messages.send_text("5511987654321", "oi", key=key)
        with self.outbox._store.writing() as (session, _):
            session.run(
                "UPDATE evolution_outbox SET state = 'unknown', lined_up = 1, "
                "reason = 'not in the server''s message store; that proves nothing'"
            )
        self.outbox.messages.send_text("5511987654321", "oi", key="reminder-88")
        self.fake.log_out(self.names[1])
        data = {"instance": self.names[1], "state": "close", "statusReason": 401}
        self.client.feed({"event": "connection.update", "instance": self.names[1], "data": data})
        self.receiver.drain()
        self.monitor.start_monitoring(1_000)


@contextmanager
def demo(names: list[str]) -> Iterator[Demo]:
    """Run a demo for a while.

    Args:
        names: Names of its instances.
    """
    with ExitStack() as stack:
        made = Demo(stack, names)
        made.day()
        made.trouble()
        yield made


LOCALES = {"en": "en-US", "pt": "pt-BR"}


def main() -> int:
    """Take all pictures, of both languages."""
    docs = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs"
    for language in LOCALES:
        (docs / language / "images").mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])

        def pictures(
            on: Demo,
            name: str,
            *,
            opened: bool = False,
            size: tuple[int, int] = (1280, 900),
            dark: bool = False,
        ) -> None:
            for language, locale in LOCALES.items():
                page = browser.new_context(
                    viewport={"width": size[0], "height": size[1]},
                    locale=locale,
                    color_scheme="dark" if dark else "light",
                ).new_page()
                page.goto(f"{on.url}/#token={TOKEN}")
                page.wait_for_selector("#board:not([hidden])")
                page.wait_for_selector("#receiver tbody td")
                page.wait_for_selector("#health .pill.degraded")
                if opened:
                    page.locator("button.row", has_text=on.names[1]).click()
                    page.locator(".pairing button").click()
                    page.wait_for_selector(".qr img")
                    page.locator("#instances").scroll_into_view_if_needed()
                page.screenshot(path=str(docs / language / "images" / f"{name}.png"))
                page.context.close()

        with demo(["sales", "support", "billing"]) as on:
            pictures(on, "console", size=(1280, 1000))
            pictures(on, "console-dark", size=(1280, 1000), dark=True)
            pictures(on, "console-phone", size=(390, 844))
            pictures(on, "console-qr", opened=True)
        with demo([f"shop-{number:03}" for number in range(200)]) as on:
            pictures(on, "console-200")
        browser.close()
    for path in sorted(docs.glob("*/images/console*.png")):
        print(f"{path.relative_to(docs)}: {path.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
