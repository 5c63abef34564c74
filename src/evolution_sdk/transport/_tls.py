"""The TLS settings of every backend."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

import certifi

from evolution_sdk.errors import ConfigurationError

__all__ = ["check_verify", "tls_context"]


def check_verify(verify: bool | str) -> None:
    """Raise ConfigurationError for a CA path that does not exist."""
    if isinstance(verify, str) and not Path(verify).exists():
        raise ConfigurationError(
            f"verify: there is no CA file or folder {verify!r}. Check the path.", variable="verify"
        )


def tls_context(verify: bool | str) -> ssl.SSLContext:
    """Make the TLS settings for HTTPS.

    Args:
        verify: True trusts SSL_CERT_FILE or SSL_CERT_DIR if set, else certifi's authorities; a
            path trusts that file or folder alone; False trusts any certificate.

    Returns:
        A new context.

    Raises:
        ConfigurationError: The file holds no certificates.
    """
    # check_hostname must go first: Python refuses CERT_NONE while it is on.
    if verify is False:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    # The variables that OpenSSL and httpx honour, too.
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if isinstance(verify, str):
        file, folder = (None, verify) if Path(verify).is_dir() else (verify, None)
    elif not file and not folder:
        file = certifi.where()
    try:
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    except (ssl.SSLError, OSError) as error:
        raise ConfigurationError(
            "verify: the CA file cannot be read, or holds no PEM certificates. Check "
            "EVOLUTION_TLS_VERIFY and SSL_CERT_FILE.",
            variable="verify",
        ) from error
