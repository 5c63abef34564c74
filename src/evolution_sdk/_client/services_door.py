"""The door to what runs beside a client and stands above it: archive, monitor and streams.

A client must not import from floors above its own. The root of the package, which knows all
floors, puts the way to the services here; ``client.start()`` goes through.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["load_services", "services_module"]

_loader: Callable[[], Any] | None = None


def load_services(loader: Callable[[], Any]) -> None:
    """Say how the module of the services is loaded.

    Args:
        loader: Imports it on the first call of ``client.start()``.
    """
    global _loader
    _loader = loader


def services_module() -> Any:
    """Load the module that has ``Services`` and ``AsyncServices``.

    Raises:
        RuntimeError: Nobody filled the door; importing ``evolution_sdk`` does.
    """
    if _loader is None:
        raise RuntimeError("evolution_sdk was not imported as a package")
    return _loader()
