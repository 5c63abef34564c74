"""Errors of a test that asks the fake for something impossible."""

from __future__ import annotations

from evolution_sdk.errors import ConfigurationError


class NotArrangedError(ConfigurationError, KeyError):
    """The fake has no such thing; ``variable`` names the argument."""

    # A KeyError shows its message in quotes, as if it were the key.
    __str__ = Exception.__str__


class ArrangementError(ConfigurationError, ValueError):
    """The fake cannot be arranged like this; ``variable`` names the argument."""
