"""Secrets that are given as files, so that no list of processes shows them."""

from __future__ import annotations

from pathlib import Path

from evolution_sdk._cli.language import t
from evolution_sdk.errors import ConfigurationError

__all__ = ["read_secret"]


def read_secret(path: Path, option: str = "--secret-file") -> str:
    """Read a secret.

    Args:
        path: The file, with the secret in one line.
        option: The option that named it, for errors.

    Raises:
        ConfigurationError: The file cannot be read, or holds none or several lines.
    """
    try:
        secret = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = type(error).__name__
        raise ConfigurationError(
            t(
                f"{option}: {path} cannot be read ({why}).",
                f"{option}: não foi possível ler {path} ({why}).",
            ),
            variable=option,
        ) from None
    if not secret or len(secret.splitlines()) > 1:
        raise ConfigurationError(
            t(
                f"{option}: {path} must hold the secret, in one line.",
                f"{option}: {path} deve conter o segredo, em uma linha.",
            ),
            variable=option,
        )
    return secret
