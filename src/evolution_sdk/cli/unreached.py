"""Why something was not reached, in words of our own: texts of libraries may hold addresses."""

from __future__ import annotations

import socket
import ssl

from evolution_sdk._cli.language import t

__all__ = ["why"]


def why(error: BaseException) -> str:
    """Say why a connection failed.

    Args:
        error: What a library raised; its own text is looked at, and never shown.

    Returns:
        The reason, or the name of the error's class where it is none of the usual ones.
    """
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        if isinstance(cause, ssl.SSLError):
            return t("TLS failed", "o TLS falhou")
        if isinstance(cause, socket.gaierror):
            return _name()
        cause = cause.__cause__ or cause.__context__
    text = f"{type(error).__name__} {error}".lower()
    if any(words in text for words in ("authentication", "wrongpass", "noauth", "access_refused")):
        return t("user or password are refused", "usuário ou senha recusados")
    if "refused" in text or "connect call failed" in text:
        return t("connection refused", "conexão recusada")
    if "timeout" in text or "timed out" in text:
        return t("no answer in time", "sem resposta a tempo")
    if any(words in text for words in ("name or service", "resolve host", "getaddrinfo")):
        return _name()
    return type(error).__name__


def _name() -> str:
    return t("the name is not found (DNS)", "nome não encontrado (DNS)")
