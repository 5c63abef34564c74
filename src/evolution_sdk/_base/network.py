"""The hosts this process may connect to: all of them, unless a test run says otherwise.

Each transport asks right before it connects, so that what is mocked or answered in the process is
never refused.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["Gate", "check_host", "current", "set_gate"]

Gate = Callable[[str, bool], None]
"""Is given a host name or an address, and whether a proxy will look it up; raises to refuse it."""

_gate: Gate | None = None


def set_gate(gate: Gate | None) -> None:
    """Put a gate in force for the whole process; None takes it away."""
    global _gate
    _gate = gate


def current() -> Gate | None:
    """The gate in force, or None."""
    return _gate


def check_host(host: str, *, proxied: bool = False) -> None:
    """Ask whether a host may be connected to.

    Args:
        host: A host name, or an address without brackets.
        proxied: Whether a proxy stands between, which looks the name up itself.

    Raises:
        ConfigurationError: A gate is in force and refuses it.
    """
    if _gate is not None:
        _gate(host, proxied)
