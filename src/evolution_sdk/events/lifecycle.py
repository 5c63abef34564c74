"""Events about instances, their connection, and integrations."""

from __future__ import annotations

from evolution_sdk._base.json_types import is_object
from evolution_sdk.models.instance import ConnectionStatus, QrCode

from ._base import Event
from .message_event import first
from .records import (
    ConnectionChange,
    HistorySummary,
    InstanceClosed,
    InstanceRef,
    QrcodeChange,
    TypebotSession,
    TypebotStatus,
)


class ApplicationStartup(Event):
    """The server started. Declared by the server, never sent by 2.3.6."""

    wire = "application.startup"
    __slots__ = ()


class _Instance(Event[InstanceRef]):
    repeatable = False
    __slots__ = ()

    def _read(self) -> InstanceRef:
        return InstanceRef.from_wire(first(self._data))

    def _identity(self) -> tuple[object, ...] | None:
        data = first(self._data)
        found = data.get("instanceId") if is_object(data) else None
        return (found,) if isinstance(found, str) else None


class InstanceCreate(_Instance):
    """An instance was created. Identified by its id."""

    wire = "instance.create"
    __slots__ = ()


class InstanceDelete(_Instance):
    """The deletion of an instance was accepted. Identified by its id; the event may be lost."""

    wire = "instance.delete"
    __slots__ = ()


class RemoveInstance(Event[None]):
    """An instance is about to be removed; its data is null.

    The removal waits for the webhook, including all retries: answer it at once.
    """

    wire = "remove.instance"
    __slots__ = ()


class LogoutInstance(Event[None]):
    """A session ended for good; its data is null."""

    wire = "logout.instance"
    __slots__ = ()


class QrcodeUpdated(Event[QrcodeChange]):
    """A new code to scan, or the notice that there will be no more.

    Identified by the hash of the data; ``repr`` never shows the code.
    """

    wire = "qrcode.updated"
    __slots__ = ()

    def _read(self) -> QrcodeChange:
        return QrcodeChange.from_wire(first(self._data))

    @property
    def qrcode(self) -> QrCode | None:
        """The code; None when the limit is reached."""
        return self.data.qrcode

    @property
    def limit_reached(self) -> bool:
        """True if the server stopped making codes: connect again to get new ones."""
        return self.data.qrcode is None and self.data.status_code is not None


class ConnectionUpdate(Event[ConnectionChange]):
    """The connection changed. ``open`` does not prove that messages get through.

    The same state may come again, which is why receivers use ``delivery_key``.
    """

    wire = "connection.update"
    __slots__ = ()

    def _read(self) -> ConnectionChange:
        return ConnectionChange.from_wire(first(self._data))

    @property
    def state(self) -> ConnectionStatus | None:
        """The new state."""
        return self.data.state

    @property
    def reason(self) -> int | None:
        """WhatsApp's code, such as 401 for logged out."""
        return self.data.status_reason

    def _shown(self) -> dict[str, object]:
        state = self.state
        return {"state": None if state is None else str(state), "reason": self.reason}


class StatusInstance(Event[InstanceClosed]):
    """A session ended for good, with the reason. Its time, which is correct UTC, identifies it."""

    wire = "status.instance"
    repeatable = False
    __slots__ = ()

    def _read(self) -> InstanceClosed:
        return InstanceClosed.from_wire(first(self._data))


class TypebotStart(Event[TypebotSession]):
    """A Typebot session was started. Identified by the hash of the data."""

    wire = "typebot.start"
    __slots__ = ()

    def _read(self) -> TypebotSession:
        return TypebotSession.from_wire(first(self._data))


class TypebotChangeStatus(Event[TypebotStatus]):
    """A Typebot session changed its state. Identified by the hash of the data."""

    wire = "typebot.change-status"
    __slots__ = ()

    def _read(self) -> TypebotStatus:
        return TypebotStatus.from_wire(first(self._data))


class CredsUpdate(Event):
    """Declared by the server, never sent by 2.3.6."""

    wire = "creds.update"
    __slots__ = ()


class MessagingHistorySet(Event[HistorySummary]):
    """The history of a new login has been taken over; sent once, by servers from 2.4 on.

    The batches themselves come as :class:`MessagesSet`.
    """

    wire = "messaging-history.set"
    __slots__ = ()

    def _read(self) -> HistorySummary:
        return HistorySummary.from_wire(first(self._data))

    @property
    def progress(self) -> int | None:
        """Percent of the history that arrived: 100, since it is sent at the end."""
        return self.data.progress

    def _shown(self) -> dict[str, object]:
        return {"messages": self.data.message_count}
