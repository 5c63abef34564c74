"""Other things that arrive beside the 33 events: special posts, unknown events, broken bodies."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

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

    def _shown(self) -> dict[str, Any]:
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

    def _shown(self) -> dict[str, Any]:
        return {"event": self.event[:64]}


class MalformedEvent(Event[None]):
    """A body that is not an event.

    Attributes:
        reason: The problem, without any of the content.
    """

    repeatable = False
    __slots__ = ("reason",)

    reason: str

    def __init__(
        self,
        raw: Any,
        data: Any = None,
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
        """The body if it is an object, otherwise an empty object; see ``body``."""
        return self._raw if is_object(self._raw) else {}

    @property
    def body(self) -> Any:
        """The body: bytes or text that is not JSON, or decoded JSON that is not an event."""
        return cast("object", self._raw)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (self._raw, self.source, self.received_at, self.reason)

    def _identity(self) -> tuple[Any, ...] | None:
        return (self._raw,)

    def _shown(self) -> dict[str, Any]:
        return {"reason": self.reason}


def _restore(
    raw: Any, source: Source | None, received_at: datetime | None, reason: str
) -> MalformedEvent:
    return MalformedEvent(raw, source=source, received_at=received_at, reason=reason)
