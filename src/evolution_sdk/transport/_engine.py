"""The two libraries of one make: httpx over httpcore, and httpx2 over httpcore2.

They give the same names to the same things, so that everything about a connection is written once
and takes the library as an argument. A library is imported when the first transport over it is
opened.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, Literal

from evolution_sdk.errors import ConfigurationError

from ._methods import Methods

__all__ = ["Engine", "HttpxName", "engine_for"]

HttpxName = Literal["httpx", "httpx2"]

_CORES: Final = {"httpx": "httpcore", "httpx2": "httpcore2"}


class Engine:
    """One library and the engine below it.

    Args:
        http: The module ``httpx`` or ``httpx2``.
        core: The module ``httpcore`` or ``httpcore2``.

    Attributes:
        http: The library.
        core: Its engine.
    """

    __slots__ = ("_async_pool", "_pool", "core", "http")

    def __init__(self, http: Any, core: Any) -> None:
        self.http: Any = http
        self.core: Any = core
        library = core.__name__
        self._pool = Methods(core.ConnectionPool, ("handle_request", "create_connection"), library)
        self._async_pool = Methods(
            core.AsyncConnectionPool, ("handle_async_request", "create_connection"), library
        )

    @property
    def name(self) -> str:
        """``httpx`` or ``httpx2``; also the name of the package to install."""
        name: str = self.http.__name__
        return name

    def is_hooked(self) -> bool:
        """Return True if the engine's pool has been replaced, as respx and vcrpy do."""
        return self._pool.replaced() or self._async_pool.replaced()

    def around(self, kind: str, pool: object) -> Any:
        """Make the library's own transport, with our pool in it.

        Args:
            kind: ``HTTPTransport`` or ``AsyncHTTPTransport``.
            pool: The pool.

        Returns:
            The transport, for a client of the library.
        """
        # Its __init__ is skipped: it loads the certificate authorities and makes a pool.
        cls = getattr(self.http, kind)
        transport = cls.__new__(cls)
        transport._pool = pool
        return transport


def engine_for(name: HttpxName) -> Engine:
    """Import a library and its engine.

    Args:
        name: Which one.

    Returns:
        The library; always the same object for one name.

    Raises:
        ConfigurationError: It is not installed.
    """
    # Looked up, not imported, so that a broken library raises its own ImportError below.
    if find_spec(name) is None:
        raise ConfigurationError(
            f"http_backend={name!r} needs one more package: pip install 'evolutionapi-sdk[{name}]'",
            variable="http_backend",
        )
    return _engine(name)


@cache
def _engine(name: HttpxName) -> Engine:
    return Engine(import_module(name), import_module(_CORES[name]))
