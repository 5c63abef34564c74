"""Words of commands that serve."""

from __future__ import annotations

from evolution_sdk.errors import ConfigurationError

from .language import t

__all__ = ["cannot_listen"]


def cannot_listen(host: str, port: int, error: OSError) -> ConfigurationError:
    """Make the error that says that nothing can listen there.

    Args:
        host: The address.
        port: The port.
        error: The error of the system.
    """
    where = f"{host}:{port}"
    return ConfigurationError(
        t(
            f"{where} cannot be listened on: {error.strerror}; choose another --port.",
            f"não é possível escutar em {where}: {error.strerror}; escolha outra --port.",
        )
    )
