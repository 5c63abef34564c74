"""Records for a test to look at: the sends acted upon and the requests seen."""

from __future__ import annotations

from dataclasses import dataclass, field

from .js import JsonObject


@dataclass(frozen=True, slots=True)
class RecordedSend:
    """One send that the fake really acted upon.

    Attributes:
        instance: Name of the instance.
        operation: Key of the operation, such as ``message.send_text``.
        number: The recipient as the caller wrote it.
        jid: The recipient as stored.
        kind: The stored ``messageType``, such as ``conversation`` or ``imageMessage``.
        text: The text or caption, if any.
        key_id: The WhatsApp id of the message.
        body: The request body as decoded.
        at: Time at which it went to the phone network, in milliseconds since the epoch.
        refused_code: Code with which WhatsApp refused it; None if it did not.
    """

    instance: str
    operation: str
    number: str
    jid: str
    kind: str
    text: str | None = field(repr=False)
    key_id: str
    body: JsonObject = field(repr=False)
    at: float
    refused_code: int | None = None

    @property
    def caption(self) -> str | None:
        """The caption of media; the same as ``text``."""
        return self.text


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """One request that reached the fake, faults included.

    Attributes:
        method: HTTP verb.
        target: Path with query, as received.
        operation: Key of the operation, or None for an unknown route.
        instance: The instance in the path, if any.
        status: The status answered; None where the connection was cut.
        fault: Kind of the fault that struck, if any.
        at: Time of its arrival, in milliseconds since the epoch.
    """

    method: str
    target: str
    operation: str | None
    instance: str | None
    status: int | None
    fault: str | None
    at: float
