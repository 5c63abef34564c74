"""Protocols for attaching a client to an event, which must not import one."""

from __future__ import annotations

from typing import Protocol, TypeVar

__all__ = ["ACTIONS", "CONTENT_ACTIONS", "AwaitedKind", "EventBinder", "actions_on"]

E_contra = TypeVar("E_contra", contravariant=True)
E_co = TypeVar("E_co", covariant=True)
Bound_co = TypeVar("Bound_co", covariant=True)

ACTIONS = frozenset(
    {"reply_text", "reply_media", "react", "mark_read", "download_media", "download_to"}
)
"""The methods that a message event has once a client is attached."""

CONTENT_ACTIONS = frozenset(
    {
        "delete",
        "edit",
        "forward",
        "mark_played",
        "recording",
        "reply_audio",
        "reply_buttons",
        "reply_carousel",
        "reply_contact",
        "reply_list",
        "reply_location",
        "reply_poll",
        "reply_ptv",
        "reply_sticker",
        "typing",
    }
)
"""Those that only an event with a whole message has."""

_WITH_CONTENT = frozenset({"messages.upsert", "send.message"})


def actions_on(wire: str) -> frozenset[str]:
    """Return the methods that a message event has once a client is attached.

    Args:
        wire: The server's name of the event.
    """
    return ACTIONS | CONTENT_ACTIONS if wire in _WITH_CONTENT else ACTIONS


class EventBinder(Protocol[E_contra, Bound_co]):
    """A client or an instance handle, as ``event.bind(…)`` and receivers of events need it."""

    def bind_event(self, event: E_contra, /) -> Bound_co:
        """Return the event with this client attached.

        Args:
            event: The event; it is not changed.

        Returns:
            The sync or async event that belongs to the client; an event that cannot be answered is
            returned unchanged.
        """
        ...


class AwaitedKind(Protocol[E_co]):
    """An event class whose actions must be awaited, so only an ``async def`` can handle it.

    Type checkers recognise such classes by this method; see ``EventRouter.on``.
    """

    def awaited_kind(self) -> type[E_co]:
        """Return the class itself."""
        ...
