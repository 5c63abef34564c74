"""The fake's answer to a test that asks it for something impossible."""

from __future__ import annotations

from evolution_sdk.errors import ConfigurationError


class NotArrangedError(ConfigurationError, KeyError):
    """The fake has no such thing; ``variable`` names the argument."""


class ArrangementError(ConfigurationError, ValueError):
    """The fake cannot be arranged so; ``variable`` names the argument."""
