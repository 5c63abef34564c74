"""What events need of a client, without knowing one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from ._base import Event

Actions = TypeVar("Actions")
Actions_co = TypeVar("Actions_co", covariant=True)


class ActionSource(Protocol[Actions_co]):
    """A client or an instance handle; sync ones give sync actions, async ones async ones."""

    def event_actions(self, event: Event[Any], /) -> Actions_co:
        """What can be done about an event.

        Args:
            event: The event.

        Returns:
            ``EventActions`` or ``AsyncEventActions``.
        """
        ...
