"""The instance that a call is for."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Target"]


@dataclass(frozen=True, slots=True)
class Target:
    """The instance that a call is for.

    Attributes:
        instance: Its name, or None for calls about the server.
        token: Its own key, or None to use the client's.
    """

    instance: str | None = None
    token: str | None = field(default=None, repr=False)
