"""The main job, end to end: create an instance, send under faults, read back, show the metrics.

Without EVOLUTION_API_URL (in the environment or in .env) it starts the fake server of
evolution_sdk.testing; with EVOLUTION_API_URL and EVOLUTION_API_KEY it does the same on a real
Evolution API server (the instance is of integration EVOLUTION, which needs no phone).
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from contextlib import ExitStack

import httpx

from evolution_sdk import (
    ConfigurationError,
    EvolutionClient,
    EvolutionConfig,
    LicenseRequiredError,
    SentMessage,
    WaitTimeoutError,
)
from evolution_sdk.retry import RetryEvent

MESSAGES = 30
RECIPIENT = "5511999999999"


class FlakyNetwork(httpx.HTTPTransport):
    """A network that fails now and then, in the two ways that matter."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed)
        self.refused = self.lost = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        chance = self._random.random() if "/message/" in request.url.path else 1.0
        if chance < 0.15:
            self.refused += 1
            raise httpx.ConnectError("injected: the server could not be reached")
        response = super().handle_request(request)
        if chance < 0.30:
            response.read()
            self.lost += 1
            raise httpx.ReadError("injected: the message was sent, but its answer got lost")
        return response


def settings(stack: ExitStack) -> EvolutionConfig:
    """Settings of the environment; without a server in them, those of a fake one."""
    try:
        return EvolutionConfig.from_env()
    except ConfigurationError as error:
        if error.variable != "EVOLUTION_API_URL":
            raise
    from evolution_sdk.testing import FakeEvolution

    fake = stack.enter_context(FakeEvolution(api_key="demo-key").serve())
    print("EVOLUTION_API_URL is not set: using the fake server of evolution_sdk.testing")
    return EvolutionConfig(fake.url, "demo-key", retry={"delay_ms": 50})


def show_retry(event: RetryEvent) -> None:
    """Called by the retry service before each wait."""
    print(f"   retry  {event.operation} after {type(event.error).__name__}")


def main() -> int:
    """Run the demo; 0 when every message arrived exactly once."""
    with ExitStack() as stack:
        config = settings(stack)
        network = FlakyNetwork(seed=7)
        http = stack.enter_context(httpx.Client(transport=network, timeout=60))
        client = stack.enter_context(EvolutionClient(config=config, http_client=http))
        print(f"server    {client.config.base_url}, version {client.server.info().version}")

        name = f"sdk-demo-{random.randrange(10**6)}"
        try:
            created = client.instances.create(name, integration="EVOLUTION")
        except LicenseRequiredError as error:
            print(f"failed    {error}")
            return 1
        print(f"instance  {created.name} is {created.status}")
        try:
            return send_and_check(client, name, network)
        finally:
            try:
                client.instances.delete(name, wait=True, wait_ms=20_000)
                print(f"instance  {name} deleted")
            except WaitTimeoutError as error:
                print(f"instance  {name} is still being deleted: {error}")


def send_and_check(client: EvolutionClient, name: str, network: FlakyNetwork) -> int:
    """Send through the flaky network, then compare with what the server has stored."""
    instance = client.instance(name)
    client.retry.on("retry", show_retry)
    sent: list[SentMessage] = []
    for number in range(1, MESSAGES + 1):
        text = f"Olá! Mensagem {number} de {MESSAGES}"
        # resend: look in the server's store first, send again only when it is not there.
        message = instance.messages.send_text(RECIPIENT, text, on_unknown="resend")
        note = "  (its answer was lost; found in the store)" if message.reconciled else ""
        print(f"sent      {message.id}{note}")
        sent.append(message)

    stored = Counter(message.text for message in instance.chats.iter_messages(from_me=True))
    lost = MESSAGES - len(stored)
    doubled = sum(stored.values()) - len(stored)
    print(f"\nfaults    {network.refused} calls refused, {network.lost} answers lost")
    print(f"result    {len(sent)} sent, {lost} lost, {doubled} sent twice")

    metrics = client.retry.get_metrics("message.send_text")
    print(f"metrics   {metrics.total_operations} sends in {metrics.attempts} attempts")
    print(f"          {metrics.success_rate:.0%} succeeded, {metrics.retries} retries")
    print(f"          {metrics.unknown_outcomes} outcomes unknown at first")
    print(f"          {metrics.resolved_found} of them found in the store")
    print(f"          {metrics.average_time_to_success_ms:.1f} ms to success on average")
    return 0 if lost == doubled == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
