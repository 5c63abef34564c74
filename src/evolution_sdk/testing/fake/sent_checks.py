"""Checks of what was sent, for a test that ends."""

from __future__ import annotations

from abc import ABC, abstractmethod

from evolution_sdk._common.arguments import checked

from .numbers import create_jid
from .records import RecordedSend


@checked()
class SentChecks(ABC):
    """Looks at the sends of a fake, in this process or in another."""

    @property
    @abstractmethod
    def sent(self) -> list[RecordedSend]:
        """The sends that were really acted upon, oldest first."""

    def sent_to(self, number: str) -> list[RecordedSend]:
        """List the sends to a number or a JID, oldest first.

        Args:
            number: The number in any spelling, or the JID.
        """
        wanted = create_jid(number)
        return [
            message for message in self.sent if wanted in (create_jid(message.number), message.jid)
        ]

    def assert_sent(
        self,
        number: str | None = None,
        *,
        text: str | None = None,
        instance: str | None = None,
        kind: str | None = None,
        operation: str | None = None,
    ) -> RecordedSend:
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
            AssertionError: No such message was sent.
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
        """Check the number of times a message was sent; None matches everything.

        Args:
            times: The expected number.
            number: The recipient in any spelling.
            text: The text or caption, exactly.
            instance: The sending instance.
            kind: The stored type, such as ``imageMessage``.
            operation: The operation, such as ``message.send_text``.

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
            AssertionError: A message was sent.
        """
        if self.sent:
            raise AssertionError(f"expected no messages; {self._summary()}")

    def _matching(
        self,
        number: str | None,
        text: str | None,
        instance: str | None,
        kind: str | None,
        operation: str | None,
    ) -> list[RecordedSend]:
        return [
            message
            for message in (self.sent if number is None else self.sent_to(number))
            if text in (None, message.text)
            and instance in (None, message.instance)
            and kind in (None, message.kind)
            and operation in (None, message.operation)
        ]

    def _summary(self) -> str:
        # Texts are left out: a failing test prints into logs that others read.
        sent = [f"{m.operation} to {m.number} ({m.kind})" for m in self.sent]
        return "sent: " + ("; ".join(sent) or "nothing")
