"""Errors of a test that asks the fake for something impossible."""

from __future__ import annotations

from evolution_sdk.errors import ConfigurationError


class NotArrangedError(ConfigurationError, KeyError):
    """The fake has no such thing; ``variable`` names the argument."""

    def __str__(self) -> str:
        # A KeyError shows its message in quotes, as if it were the key.
        return Exception.__str__(self)


class ArrangementError(ConfigurationError, ValueError):
    """The fake cannot be arranged like this; ``variable`` names the argument."""
