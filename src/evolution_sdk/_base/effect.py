"""The two facts every retry decision rests on: what a call does, and how far a failed one got."""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """The effect of one accepted call; declared once per operation."""

    READ = "read"
    """Changes nothing; may be repeated freely."""
    IDEMPOTENT = "idempotent"
    """Sets a state; repeating it ends in the same state."""
    SEND = "send"
    """Acts anew on every accepted call (a message, a new instance); never repeated blindly."""
    DESTRUCTIVE = "destructive"
    """Removes something; repeated only when the first try surely never arrived."""


class Phase(StrEnum):
    """The point that a failed call reached."""

    NOT_SENT = "not_sent"
    """It never reached the server, or the server refused before acting."""
    UNKNOWN = "unknown"
    """It may have acted: the answer was lost or does not tell."""
    ANSWERED = "answered"
    """The server answered for good: it acted, or refused and will refuse again."""
