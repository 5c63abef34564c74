"""Secrets that are given as files, so that no list of processes shows them."""

from __future__ import annotations

from pathlib import Path

from evolution_sdk.errors import ConfigurationError

from .language import t

__all__ = ["read_secret", "read_stripped"]


def read_secret(
    path: Path,
    option: str = "--secret-file",
    called: tuple[str, str] = ("the secret", "o segredo"),
) -> str:
    """Read a secret.

    Args:
        path: The file, with the secret in one line.
        option: The option that named it, for errors.
        called: What the secret is called, in English and in Portuguese.

    Raises:
        ConfigurationError: The file cannot be read, or holds none or several lines.
    """
    secret = read_stripped(path, option)
    if not secret or len(secret.splitlines()) > 1:
        en, pt = called
        raise ConfigurationError(
            t(
                f"{option}: {path} must hold {en}, in one line.",
                f"{option}: {path} deve conter {pt}, em uma linha.",
            ),
            variable=option,
        )
    return secret


def read_stripped(path: Path, option: str) -> str:
    """Read a file that an option names, without blanks around its text.

    Args:
        path: The file.
        option: The option that named it, for errors.

    Raises:
        ConfigurationError: The file cannot be read.
    """
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = type(error).__name__
        raise ConfigurationError(
            t(
                f"{option}: {path} cannot be read ({why}).",
                f"{option}: não foi possível ler {path} ({why}).",
            ),
            variable=option,
        ) from None
