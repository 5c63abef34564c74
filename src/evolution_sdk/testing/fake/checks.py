"""What a test asks afterwards."""

from __future__ import annotations

from evolution_sdk._common.arguments import checked

from .js import JsonObject
from .kernel import Kernel
from .numbers import create_jid
from .records import SeenRequest, SentMessage
from .world import World


@checked()
class Checks:
    """The looking half of :class:`FakeEvolution`."""

    _world: World
    _kernel: Kernel

    @property
    def sent(self) -> list[SentMessage]:
        """The sends that were really acted upon, oldest first."""
        with self._kernel.lock:
            return list(self._world.sent)

    @property
    def requests(self) -> list[SeenRequest]:
        """Every request seen, faults included, oldest first."""
        with self._kernel.lock:
            return list(self._world.requests)

    @property
    def events(self) -> list[JsonObject]:
        """Every event, in the envelope that webhooks carry, whoever subscribed to it."""
        with self._kernel.lock:
            return list(self._world.events)

    def sent_to(self, number: str) -> list[SentMessage]:
        """The sends to a number, in any spelling, or to a JID."""
        wanted = create_jid(number)
        return [
            message for message in self.sent if wanted in (create_jid(message.number), message.jid)
        ]

    def _matching(
        self, number: str | None, text: str | None, instance: str | None, kind: str | None,
        operation: str | None,
    ) -> list[SentMessage]:  # fmt: skip
        return [
            message
            for message in (self.sent if number is None else self.sent_to(number))
            if text in (None, message.text)
            and instance in (None, message.instance)
            and kind in (None, message.kind)
            and operation in (None, message.operation)
        ]

    def assert_sent(
        self,
        number: str | None = None,
        *,
        text: str | None = None,
        instance: str | None = None,
        kind: str | None = None,
        operation: str | None = None,
    ) -> SentMessage:
        """Check that a message was sent; None matches everything.

        Args:
            number: The recipient in any spelling.
            text: The text or caption, exactly.
            instance: The sending instance.
            kind: The stored type, such as ``imageMessage``.
            operation: The operation, such as ``message.send_text``.

        Returns:
            The newest that matches.

        Raises:
            AssertionError: Nothing like it was sent.
        """
        found = self._matching(number, text, instance, kind, operation)
        if not found:
            raise AssertionError(f"no such message was sent; {self._summary()}")
        return found[-1]

    def assert_sent_times(
        self,
        times: int,
        number: str | None = None,
        *,
        text: str | None = None,
        instance: str | None = None,
        kind: str | None = None,
        operation: str | None = None,
    ) -> None:
        """Check how often a message was sent; None matches everything.

        Raises:
            AssertionError: It was sent more or less often.
        """
        found = self._matching(number, text, instance, kind, operation)
        if len(found) != times:
            raise AssertionError(
                f"expected {times} such messages, got {len(found)}; {self._summary()}"
            )

    def assert_nothing_sent(self) -> None:
        """Check that nothing was sent.

        Raises:
            AssertionError: Something was.
        """
        if self.sent:
            raise AssertionError(f"expected no messages; {self._summary()}")

    def _summary(self) -> str:
        """What was sent, without its texts."""
        sent = [f"{m.operation} to {m.number} ({m.kind})" for m in self.sent]
        return "sent: " + ("; ".join(sent) or "nothing")
