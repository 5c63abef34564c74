"""Events beside the server's 33: other posts, unknown events, broken bodies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from evolution_sdk._base.json_types import is_object

from ._base import Event, Source
from .message_event import first
from .records import ErrorReport, TemplateStatusChange


class ServerErrorReport(Event[ErrorReport]):
    """The server's report of an HTTP error (``WEBHOOK_EVENTS_ERRORS``), without an instance.

    **Its envelope carries the server's global key in clear text** (``raw["api_key"]``).
    """

    wire = "error"
    __slots__ = ()

    def _read(self) -> ErrorReport:
        return ErrorReport.from_wire(first(self._data))

    def _shown(self) -> dict[str, object]:
        return {"status": self.data.status}


class TemplateStatusUpdate(Event[TemplateStatusChange]):
    """Meta decided about a template; posted without an envelope to the template's ``webhookUrl``.

    Its whole body is its data, whose hash identifies it.
    """

    wire = "message_template_status_update"
    __slots__ = ()

    def _read(self) -> TemplateStatusChange:
        return TemplateStatusChange.from_wire(self._data)


class UnknownEvent(Event[Any]):
    """An event unknown to this SDK; everything is in ``raw`` and ``data``.

    Identified by the hash of the data.
    """

    __slots__ = ()

    def _shown(self) -> dict[str, object]:
        return {"event": self.event[:64]}


class MalformedEvent(Event[None]):
    """A body that is not an event.

    Attributes:
        reason: The fault, without a word of its content.
    """

    repeatable = False
    __slots__ = ("reason",)

    reason: str

    def __init__(
        self,
        raw: object,
        data: object = None,
        *,
        event: str = "",
        instance: str = "",
        source: Source | None = None,
        received_at: datetime | None = None,
        reason: str = "",
    ) -> None:
        super().__init__(
            raw, None, event=event, instance=instance, source=source, received_at=received_at
        )
        object.__setattr__(self, "reason", reason)

    @property
    def raw(self) -> Mapping[str, Any]:
        """The body if it was an object, else an empty object; see ``body``."""
        return self._raw if is_object(self._raw) else {}

    @property
    def body(self) -> object:
        """The body: bytes or text that is no JSON, or decoded JSON that is no event."""
        return self._raw

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (self._raw, self.source, self.received_at, self.reason)

    def _identity(self) -> tuple[object, ...] | None:
        return (self._raw,)

    def _shown(self) -> dict[str, object]:
        return {"reason": self.reason}


def _restore(
    raw: object, source: Source | None, received_at: datetime | None, reason: str
) -> MalformedEvent:
    return MalformedEvent(raw, source=source, received_at=received_at, reason=reason)
