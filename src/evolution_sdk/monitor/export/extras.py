"""Loads modules of optional extras, or names the extra that is missing."""

from __future__ import annotations

import importlib
from typing import Any

from evolution_sdk.errors import ConfigurationError

__all__ = ["load"]


def load(module: str, extra: str, what: str) -> Any:
    """Import a module of an optional extra.

    Args:
        module: Its full name.
        extra: The extra of this package that brings it.
        what: The part that needs it, to begin a sentence with.

    Returns:
        The module.

    Raises:
        ConfigurationError: It is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError:
        package = module.partition(".")[0]
        raise ConfigurationError(
            f"{what} needs {package}: pip install 'evolutionapi-sdk[{extra}]'.",
            variable=f"evolutionapi-sdk[{extra}]",
        ) from None
